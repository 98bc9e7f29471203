/*
 * What nflog hands to switch-lockoutd: after a first byte either netlink messages as they are, or a stranger's packets, each behind
 * its length, which are put into messages as the kernel makes them. And a capture file that was kept. Whatever is taken comes out
 * as a file whose packets can be counted, each of them no longer than what is kept of it.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "lockoutd/reel.h"

enum { ROOM = 65536, PACKET_MAX = 2048 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t room[ROOM / sizeof(uint64_t)];

static void take_messages(struct reel *r, const uint8_t *data, size_t size)
{
	size_t n = size < ROOM ? size : ROOM;

	memcpy(room, data, n);
	reel_take(r, room, n);
}

static void take_packet(struct reel *r, const uint8_t *packet, size_t n)
{
	const struct nfulnl_msg_packet_hdr head = { .hw_protocol = htons(0x0800) };
	struct nlmsghdr *h = mnl_nlmsg_put_header(room);
	struct nfgenmsg *m;

	h->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->nfgen_family = AF_INET;
	m->version = NFNETLINK_V0;
	mnl_attr_put(h, NFULA_PACKET_HDR, sizeof(head), &head);
	mnl_attr_put(h, NFULA_PAYLOAD, n, packet);
	reel_take(r, room, h->nlmsg_len);
}

static void take_packets(struct reel *r, const uint8_t *data, size_t size)
{
	while (size > 2) {
		size_t n = ((size_t)data[0] << 8 | data[1]) % PACKET_MAX;

		data += 2;
		size -= 2;
		n = n < size ? n : size;
		take_packet(r, data, n);
		data += n;
		size -= n;
	}
}

static void check_file(const struct reel *r, const char *net)
{
	CLEANUP(buf_done) struct buf file = BUF_INIT;
	struct cidr whose;
	size_t n;

	assert(cidr_parse(str_of(net), &whose) == 0);
	n = reel_put(r, &whose, &file);
	assert(n <= REEL_OF_SOURCE && file.n <= REEL_FILE_MAX && (n > 0) == (file.n > 0));
	assert(reel_count(buf_str(&file)) == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(reel_free) struct reel *r = NULL;

	if (size == 0 || reel_create(&r) < 0)
		return 0;
	if (data[0] % 3 == 0)
		take_messages(r, data + 1, size - 1);
	else if (data[0] % 3 == 1)
		take_packets(r, data + 1, size - 1);
	else
		(void)reel_count(str_n(data + 1, size - 1));
	check_file(r, "0.0.0.0/0");
	check_file(r, "::/0");
	check_file(r, "192.0.2.7/32");
	return 0;
}
