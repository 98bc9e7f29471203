#include "reel.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <stdlib.h>
#include <string.h>

#include "bans.h"
#include "base/clock.h"

enum {
	V4_HEAD = 20,
	V6_HEAD = 40,
	V4_SOURCE = 12,
	V6_SOURCE = 8,
	PCAP_HEAD = 24,
	PCAP_PACKET = 16,
	LINKTYPE_RAW = 101,
};

_Static_assert(REEL_FILE_MAX == PCAP_HEAD + REEL_OF_SOURCE * (PCAP_PACKET + REEL_SNAP),
	       "a file has room for all that is kept of a source");

#define PCAP_MAGIC UINT32_C(0xa1b2c3d4)

struct packet {
	struct cidr net; /* whom it is from, as a ban would name it */
	int64_t wall_us;
	uint32_t length;   /* as it came in */
	uint16_t captured; /* of it in bytes[]; 0: none here */
	uint8_t bytes[REEL_SNAP];
};

struct reel {
	size_t next; /* where the next packet goes */
	struct packet ring[REEL_PACKETS];
};

int reel_create(struct reel **ret)
{
	struct reel *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	*ret = r;
	return 0;
}

struct reel *reel_free(struct reel *r)
{
	free(r);
	return NULL;
}

/* ---- what the kernel hands us ---- */

/* A packet begins with its IP header. 0 or -EINVAL: it comes from anybody. */
static int source_of(const uint8_t *p, size_t n, struct addr *ret)
{
	uint8_t version = n ? p[0] >> 4 : 0;

	if (version == 4 && n >= V4_HEAD)
		return addr_from_bytes(p + V4_SOURCE, 4, ret);
	if (version == 6 && n >= V6_HEAD)
		return addr_from_bytes(p + V6_SOURCE, 16, ret);
	return -EINVAL;
}

static uint32_t length_of(const uint8_t *p, size_t captured)
{
	uint32_t n = p[0] >> 4 == 4 ? (uint32_t)p[2] << 8 | p[3]
				    : V6_HEAD + ((uint32_t)p[4] << 8 | p[5]);

	return n > captured ? n : (uint32_t)captured;
}

static void record(struct reel *r, const uint8_t *p, size_t n)
{
	struct packet *at = &r->ring[r->next];
	size_t kept = n < REEL_SNAP ? n : REEL_SNAP;
	struct addr from;

	if (source_of(p, n, &from) < 0)
		return;
	at->net = ban_net(&from);
	at->wall_us = clock_wall_us();
	at->length = length_of(p, n);
	at->captured = (uint16_t)kept;
	memcpy(at->bytes, p, kept);
	r->next = (r->next + 1) % REEL_PACKETS;
}

static int on_attr(const struct nlattr *attr, void *ctx)
{
	const struct nlattr **payload = ctx;

	if (mnl_attr_get_type(attr) == NFULA_PAYLOAD)
		*payload = attr;
	return MNL_CB_OK;
}

static void on_message(struct reel *r, const struct nlmsghdr *h)
{
	const struct nlattr *payload = NULL;

	if (h->nlmsg_type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET))
		return;
	if (mnl_nlmsg_get_payload_len(h) >= sizeof(struct nfgenmsg) &&
	    mnl_attr_parse(h, sizeof(struct nfgenmsg), on_attr, &payload) >= 0 && payload)
		record(r, mnl_attr_get_payload(payload), mnl_attr_get_payload_len(payload));
}

/* Not by mnl_cb_run: to libmnl a length of 2 GiB and more is a negative one, and so fits anywhere. */
void reel_take(struct reel *r, const void *messages, size_t n)
{
	const char *at = messages;

	while (n >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *h = (const void *)at;
		size_t step = MNL_ALIGN((size_t)h->nlmsg_len);

		if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > n)
			return;
		on_message(r, h);
		if (step >= n)
			return;
		at += step;
		n -= step;
	}
}

/* ---- capture files, in the byte order of this machine: readers tell by the magic number ---- */

static void put32(struct buf *out, uint32_t v)
{
	buf_put(out, str_n(&v, sizeof(v)));
}

static void put_head(struct buf *out)
{
	static const uint16_t version[] = { 2, 4 };

	put32(out, PCAP_MAGIC);
	buf_put(out, str_n(version, sizeof(version)));
	put32(out, 0);
	put32(out, 0);
	put32(out, REEL_SNAP);
	put32(out, LINKTYPE_RAW);
}

static void put_packet(struct buf *out, const struct packet *p)
{
	put32(out, (uint32_t)(p->wall_us / 1000000));
	put32(out, (uint32_t)(p->wall_us % 1000000));
	put32(out, p->captured);
	put32(out, p->length);
	buf_put(out, str_n(p->bytes, p->captured));
}

static bool is_of(const struct packet *p, const struct cidr *net)
{
	return p->captured > 0 && cidr_has(net, &p->net.net);
}

size_t reel_put(const struct reel *r, const struct cidr *net, struct buf *out)
{
	size_t found = 0, passed = 0;

	for (size_t i = 0; i < REEL_PACKETS; i++)
		found += is_of(&r->ring[i], net);
	if (found > 0)
		put_head(out);
	for (size_t i = 0; i < REEL_PACKETS; i++) {
		const struct packet *p = &r->ring[(r->next + i) % REEL_PACKETS];

		if (is_of(p, net) && passed++ + REEL_OF_SOURCE >= found)
			put_packet(out, p);
	}
	return found < REEL_OF_SOURCE ? found : REEL_OF_SOURCE;
}

size_t reel_count(struct str file)
{
	size_t at = PCAP_HEAD, n = 0;
	uint32_t captured;

	while (at + PCAP_PACKET <= file.n) {
		memcpy(&captured, file.p + at + 8, sizeof(captured));
		if (captured > REEL_SNAP || at + PCAP_PACKET + captured > file.n)
			break;
		at += PCAP_PACKET + captured;
		n++;
	}
	return n;
}
