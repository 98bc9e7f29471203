#include "trace/pcap.h"

#include <stdlib.h>
#include <string.h>

#include "trace/mask.h"

enum { LINKTYPE_RAW = 101, SNAPLEN = 262144, SEGMENT = 1400, TTL = 64 };
enum { UDP = 17, TCP = 6, UDP_HEAD = 8, TCP_HEAD = 20, TCP_PSH_ACK = 0x18, WINDOW = 65535 };
enum { V4_HEAD = 20, V6_HEAD = 40, V4_PAYLOAD_MAX = 65535 - V4_HEAD };

/* One direction of a made-up connection: octets so far. The other one is looked up by the ends swapped. */
struct pcap_stream {
	struct hnode node;
	struct addr from, to;
	uint32_t octets;
};

struct packet {
	const struct addr *from, *to;
	uint8_t protocol;
	struct str head, payload;
	int64_t wall_us;
};

/* ---- numbers ---- */

static void put_le(struct buf *b, uint32_t v, int octets)
{
	for (int i = 0; i < octets; i++)
		buf_putc(b, (char)(v >> (8 * i)));
}

static void put_be(struct buf *b, uint32_t v, int octets)
{
	for (int i = octets - 1; i >= 0; i--)
		buf_putc(b, (char)(v >> (8 * i)));
}

/* RFC 1071, over parts of which all but the last have an even length. */
static uint32_t sum(uint32_t before, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		before += i % 2 ? (unsigned char)s.p[i] : (uint32_t)(unsigned char)s.p[i] << 8;
	while (before >> 16)
		before = (before & 0xffff) + (before >> 16);
	return before;
}

static struct str host(const struct addr *a)
{
	return addr_is_v6(a) ? str_n(&a->in6.sin6_addr, 16) : str_n(&a->in.sin_addr, 4);
}

static uint16_t checksum(const struct packet *p)
{
	size_t n = p->head.n + p->payload.n;
	uint32_t s = (uint32_t)(n & 0xffff) + (uint32_t)(n >> 16) + p->protocol;

	s = sum(sum(s, host(p->from)), host(p->to));
	s = ~sum(sum(s, p->head), p->payload) & 0xffff;
	return (uint16_t)(s ? s : 0xffff);
}

/* ---- packets ---- */

static void put_v4(struct pcap *f, const struct packet *p, size_t n)
{
	char bytes[V4_HEAD];
	struct buf b = buf_fixed(bytes, sizeof(bytes));

	put_be(&b, 0x4500, 2);
	put_be(&b, (uint32_t)(V4_HEAD + n), 2);
	put_be(&b, ++f->last_id, 2);
	put_be(&b, 0, 2);
	put_be(&b, TTL << 8 | p->protocol, 2);
	put_be(&b, 0, 2);
	buf_put(&b, host(p->from));
	buf_put(&b, host(p->to));

	uint32_t s = ~sum(0, buf_str(&b));
	bytes[10] = (char)(s >> 8);
	bytes[11] = (char)s;
	buf_put(f->out, str_n(bytes, sizeof(bytes)));
}

static void put_v6(struct pcap *f, const struct packet *p, size_t n)
{
	put_be(f->out, 0x60000000, 4);
	put_be(f->out, (uint32_t)n, 2);
	put_be(f->out, (uint32_t)p->protocol << 8 | TTL, 2);
	buf_put(f->out, host(p->from));
	buf_put(f->out, host(p->to));
}

/* at: where in the head the checksum stands. */
static void put_packet(struct pcap *f, const struct packet *p, size_t at)
{
	size_t n = p->head.n + p->payload.n;
	bool is_v6 = addr_is_v6(p->from);
	size_t whole = n + (is_v6 ? V6_HEAD : V4_HEAD);
	uint16_t c = checksum(p);

	put_le(f->out, (uint32_t)(p->wall_us / 1000000), 4);
	put_le(f->out, (uint32_t)(p->wall_us % 1000000), 4);
	put_le(f->out, (uint32_t)whole, 4);
	put_le(f->out, (uint32_t)whole, 4);
	if (is_v6)
		put_v6(f, p, n);
	else
		put_v4(f, p, n);
	buf_put(f->out, str_head(p->head, at));
	put_be(f->out, c, 2);
	buf_put(f->out, str_skip(p->head, at + 2));
	buf_put(f->out, p->payload);
}

static void put_datagram(struct pcap *f, struct packet *p)
{
	char bytes[UDP_HEAD];
	struct buf b = buf_fixed(bytes, sizeof(bytes));

	put_be(&b, addr_port(p->from), 2);
	put_be(&b, addr_port(p->to), 2);
	put_be(&b, (uint32_t)(UDP_HEAD + p->payload.n), 2);
	put_be(&b, 0, 2);
	p->protocol = UDP;
	p->head = buf_str(&b);
	put_packet(f, p, 6);
}

/* ---- streams ---- */

static uint64_t ends_hash(const struct addr *from, const struct addr *to)
{
	uint64_t ends[2] = { addr_hash(from), addr_hash(to) };

	return htab_hash(str_n(ends, sizeof(ends)));
}

/* NULL for want of memory: its numbers then stay where they are. */
static struct pcap_stream *stream_of(struct pcap *f, const struct addr *from, const struct addr *to)
{
	uint64_t hash = ends_hash(from, to);
	struct hnode *it;

	HTAB_EACH_MATCH(it, &f->streams, hash)
	{
		struct pcap_stream *s = CONTAINER(it, struct pcap_stream, node);

		if (addr_eq(&s->from, from) && addr_eq(&s->to, to))
			return s;
	}

	struct pcap_stream *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->from = *from;
	s->to = *to;
	htab_add(&f->streams, &s->node, hash);
	return s;
}

static void put_segment(struct pcap *f, struct packet *p, uint32_t sequence, uint32_t acknowledged)
{
	char bytes[TCP_HEAD];
	struct buf b = buf_fixed(bytes, sizeof(bytes));

	put_be(&b, addr_port(p->from), 2);
	put_be(&b, addr_port(p->to), 2);
	put_be(&b, sequence, 4);
	put_be(&b, acknowledged, 4);
	put_be(&b, (TCP_HEAD / 4) << 12 | TCP_PSH_ACK, 2);
	put_be(&b, WINDOW, 2);
	put_be(&b, 0, 4);
	p->protocol = TCP;
	p->head = buf_str(&b);
	put_packet(f, p, 16);
}

static void put_stream(struct pcap *f, struct packet *p, bool is_before)
{
	struct pcap_stream *mine = stream_of(f, p->from, p->to);
	struct pcap_stream *other = stream_of(f, p->to, p->from);
	struct str rest = p->payload;
	uint32_t at = mine ? mine->octets : 0;

	if (mine)
		mine->octets += (uint32_t)rest.n;
	for (; !is_before && rest.n; rest = str_skip(rest, SEGMENT), at += SEGMENT) {
		p->payload = str_head(rest, SEGMENT);
		put_segment(f, p, 1 + at, 1 + (other ? other->octets : 0));
	}
}

/* ---- the file ---- */

void pcap_put(struct pcap *f, const struct traced *t, bool is_before)
{
	CLEANUP(buf_done) struct buf clean = BUF_INIT;
	struct packet p = { .from = t->is_sent ? &t->local : &t->peer,
			    .to = t->is_sent ? &t->peer : &t->local,
			    .payload = str_n(t->bytes, t->n),
			    .wall_us = t->wall_us };
	bool is_stream = proto_is_stream((enum proto)t->proto);

	if (is_before && !is_stream)
		return;
	if (!f->with_secrets && !is_before) {
		mask_put(&clean, p.payload);
		p.payload = buf_str(&clean);
	}
	if (is_stream)
		put_stream(f, &p, is_before);
	else if (p.payload.n <= V4_PAYLOAD_MAX - UDP_HEAD)
		put_datagram(f, &p);
}

void pcap_put_head(struct pcap *f)
{
	put_le(f->out, 0xa1b2c3d4, 4);
	put_le(f->out, 2, 2);
	put_le(f->out, 4, 2);
	put_le(f->out, 0, 4);
	put_le(f->out, 0, 4);
	put_le(f->out, SNAPLEN, 4);
	put_le(f->out, LINKTYPE_RAW, 4);
}

int pcap_init(struct pcap *f, struct buf *out, bool with_secrets)
{
	*f = (struct pcap){ .out = out, .with_secrets = with_secrets };
	return htab_init(&f->streams, 0);
}

void pcap_done(struct pcap *f)
{
	struct hnode *it = f->streams.bucket ? htab_walk(&f->streams, NULL) : NULL;

	while (it) {
		struct hnode *next = htab_walk(&f->streams, it);

		free(CONTAINER(it, struct pcap_stream, node));
		it = next;
	}
	htab_done(&f->streams);
}
