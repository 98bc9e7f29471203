#include "trace/hep.h"

#include <errno.h>
#include <sys/socket.h>

#include "trace/mask.h"

/* The chunks of HEPv3 that we send; all are of vendor 0. */
enum hep_chunk {
	HEP_FAMILY = 1,
	HEP_PROTOCOL,
	HEP_V4_FROM,
	HEP_V4_TO,
	HEP_V6_FROM,
	HEP_V6_TO,
	HEP_PORT_FROM,
	HEP_PORT_TO,
	HEP_SECONDS,
	HEP_MICROSECONDS,
	HEP_KIND,
	HEP_AGENT,
	HEP_PAYLOAD = 15,
	HEP_CORRELATION = 17
};

enum { CHUNK_HEAD = 6, KIND_SIP = 1, FAMILY_V4 = 2, FAMILY_V6 = 10, UDP = 17, TCP = 6, AGENT = 1 };
enum { BATCH = 64, DATAGRAM_MAX = 65507 };

static void put_be(struct buf *b, uint32_t v, int octets)
{
	for (int i = octets - 1; i >= 0; i--)
		buf_putc(b, (char)(v >> (8 * i)));
}

static void put_number(struct buf *b, enum hep_chunk type, uint32_t v, int octets)
{
	put_be(b, type, 4);
	put_be(b, (uint32_t)(CHUNK_HEAD + octets), 2);
	put_be(b, v, octets);
}

static void put_bytes(struct buf *b, enum hep_chunk type, struct str s)
{
	put_be(b, type, 4);
	put_be(b, (uint32_t)(CHUNK_HEAD + s.n), 2);
	buf_put(b, s);
}

static void put_host(struct buf *b, const struct addr *a, enum hep_chunk v4, enum hep_chunk v6)
{
	if (addr_is_v6(a))
		put_bytes(b, v6, str_n(&a->in6.sin6_addr, 16));
	else
		put_bytes(b, v4, str_n(&a->in.sin_addr, 4));
}

void hep_encode(struct buf *out, const struct trace_call *c, const struct tap_message *m,
		struct str raw)
{
	const struct addr *from = m->is_sent ? &m->local : &m->peer;
	const struct addr *to = m->is_sent ? &m->peer : &m->local;
	const struct trace_leg *first = c ? call_first_leg(c) : NULL;
	size_t at = out->n;

	buf_putz(out, "HEP3");
	put_be(out, 0, 2);
	put_number(out, HEP_FAMILY, addr_is_v6(from) ? FAMILY_V6 : FAMILY_V4, 1);
	put_number(out, HEP_PROTOCOL, proto_is_stream((enum proto)m->proto) ? TCP : UDP, 1);
	put_host(out, from, HEP_V4_FROM, HEP_V6_FROM);
	put_host(out, to, HEP_V4_TO, HEP_V6_TO);
	put_number(out, HEP_PORT_FROM, addr_port(from), 2);
	put_number(out, HEP_PORT_TO, addr_port(to), 2);
	put_number(out, HEP_SECONDS, (uint32_t)(m->wall_us / 1000000), 4);
	put_number(out, HEP_MICROSECONDS, (uint32_t)(m->wall_us % 1000000), 4);
	put_number(out, HEP_KIND, KIND_SIP, 1);
	put_number(out, HEP_AGENT, AGENT, 4);
	if (first && first->n)
		put_bytes(out, HEP_CORRELATION, str_n(first->call_id, first->n));
	put_be(out, HEP_PAYLOAD, 4);
	put_be(out, (uint32_t)(CHUNK_HEAD + raw.n), 2);
	mask_put(out, raw);
	if (buf_error(out) < 0)
		return;
	out->p[at + 4] = (char)((out->n - at) >> 8);
	out->p[at + 5] = (char)(out->n - at);
}

static void drop(struct hep *h, size_t n)
{
	atomic_fetch_add_explicit(&h->dropped, n, memory_order_relaxed);
}

void hep_put(struct hep *h, const struct trace_call *c, const struct tap_message *m, struct str raw)
{
	size_t before = h->bytes.n;

	if (h->fd < 0)
		return;
	hep_encode(&h->bytes, c, m, raw);
	if (buf_error(&h->bytes) < 0 || h->bytes.n - before > DATAGRAM_MAX) {
		drop(h, 1);
		h->bytes.err = 0;
		h->bytes.n = before;
		return;
	}
	h->end[h->count++] = h->bytes.n;
	if (h->count == BATCH)
		hep_flush(h);
}

void hep_flush(struct hep *h)
{
	struct mmsghdr head[BATCH];
	struct iovec vec[BATCH];
	size_t at = 0, done = 0;

	for (size_t i = 0; i < h->count; at = h->end[i++]) {
		vec[i] = (struct iovec){ h->bytes.p + at, h->end[i] - at };
		head[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &vec[i], .msg_iovlen = 1 } };
	}
	while (done < h->count) {
		int n = sendmmsg(h->fd, head + done, (unsigned)(h->count - done), MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		/* Nobody listened to an earlier one: that says nothing of the next. */
		if (n < 0 && errno == ECONNREFUSED) {
			drop(h, 1);
			n = 1;
		} else if (n <= 0) {
			drop(h, h->count - done);
			break;
		} else {
			atomic_fetch_add_explicit(&h->sent, (uint64_t)n, memory_order_relaxed);
		}
		done += (size_t)n;
	}
	h->count = 0;
	buf_clear(&h->bytes);
}

void hep_init(struct hep *h)
{
	*h = (struct hep){ .fd = -1 };
}

int hep_open(struct hep *h, const struct addr *to)
{
	int fd = to ? socket(to->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
	int r = to && fd < 0 ? -errno : 0;

	if (fd >= 0 && connect(fd, &to->sa, addr_len(to)) < 0) {
		r = -errno;
		(void)close(fd);
		fd = -1;
	}
	if (h->fd >= 0)
		(void)close(h->fd);
	h->fd = fd;
	h->count = 0;
	buf_clear(&h->bytes);
	return r;
}

void hep_done(struct hep *h)
{
	if (h->fd >= 0)
		(void)close(h->fd);
	buf_done(&h->bytes);
}
