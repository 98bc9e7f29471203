/*
 * A packet that comes in on one side's socket leaves by the other side's. No allocation, no lock
 * and no clock call a packet: the buffer is the thread's, the time is the loop turn's.
 *
 * One packet a call with recvfrom and sendto: a stream brings one every 20 ms, so a batch of one
 * socket is one packet, and recvmmsg and sendmmsg cost more than they save. What is batched is the
 * waking up (pump.c).
 */
#include <sys/socket.h>

#include "media/inner.h"

/* Comfort noise (RFC 3551): sent without being named, by long custom. */
enum { COMFORT_NOISE = 13, DEFAULT_HZ = 8000 };

static void add(_Atomic uint64_t *counter, uint64_t n)
{
	/* one writer, so a load and a store do */
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

static bool is_expected(const struct relay *r, uint8_t payload_type)
{
	return payload_type == COMFORT_NOISE ||
	       (r->expected.word[payload_type / 64] >> payload_type % 64 & 1);
}

static bool is_valid(const struct plug *in, struct str packet, struct rtp_header *h)
{
	if (in->is_rtcp)
		return rtcp_read(packet, &h->ssrc);
	if (in->relay->is_fax) {
		/*
		 * It has no SSRC. What comes first may come from another port of the source that was believed, as another SDP
		 * port has it; from then on nothing else is the same stream.
		 */
		h->ssrc = in->has_faxed ? ~in->latch.ssrc : in->latch.ssrc;
		return udptl_read(packet);
	}
	return rtp_read(packet, h) && is_expected(in->relay, h->payload_type);
}

static void count_in(struct plug *in, const struct rtp_header *h, size_t n, ms_t now_ms)
{
	struct relay *r = in->relay;
	struct counters *c = &r->counters[in->side];
	struct rtp_count *count = &r->count[in->side];
	uint32_t hz = r->clock_hz[in->side] ? r->clock_hz[in->side] : DEFAULT_HZ;

	atomic_store_explicit(&c->heard_ms, now_ms, memory_order_relaxed);
	if (in->is_rtcp)
		return;
	in->has_faxed = r->is_fax;
	if (r->is_fax)
		return;
	add(&c->packets_in, 1);
	add(&c->bytes_in, n);
	rtp_count(count, h, (uint32_t)(now_ms * hz / 1000));
	atomic_store_explicit(&c->lost, rtp_lost(count), memory_order_relaxed);
	atomic_store_explicit(&c->jitter_us, rtp_jitter_us(count, hz), memory_order_relaxed);
}

/* Is this packet its side's? Counts it in any case. */
static bool take(struct pump *p, struct plug *in, struct str packet, const struct addr *from)
{
	struct rtp_header h;

	if (packet.n > PACKET_MAX || !is_valid(in, packet, &h) ||
	    !latch_accept(&in->latch, from, h.ssrc, p->loop.now_ms)) {
		add(&in->relay->counters[in->side].refused, 1);
		add(&p->refused, 1);
		return false;
	}
	count_in(in, &h, packet.n, p->loop.now_ms);
	add(&p->packets, 1);
	return true;
}

/* Hold stops the stream; reports go on (RFC 3264, 8.4). */
static bool may_pass(const struct plug *in, const struct plug *out)
{
	const struct relay *r = in->relay;

	if (!addr_is_set(&out->latch.to))
		return false;
	return in->is_rtcp || (r->may_send[in->side] && !r->is_deaf[out->side]);
}

/* What the kernel does not take is lost, as a packet may be: it comes too late by the next turn. */
static void pass(struct plug *out, struct str packet)
{
	const struct addr *to = &out->latch.to;
	struct counters *c = &out->relay->counters[out->side];

	if (sendto(out->event.fd, packet.p, packet.n, 0, &to->sa, addr_len(to)) < 0 ||
	    out->is_rtcp || out->relay->is_fax)
		return;
	add(&c->packets_out, 1);
	add(&c->bytes_out, packet.n);
}

void carry(struct event *e, uint32_t events)
{
	struct plug *in = CONTAINER(e, struct plug, event);
	struct relay *r = in->relay;
	struct pump *p = r->pump;
	enum side other = in->side == SIDE_CALLER ? SIDE_CALLEE : SIDE_CALLER;
	struct plug *out = in->is_rtcp ? &r->rtcp[other] : &r->rtp[other];
	struct addr raw, from;
	socklen_t raw_len = sizeof(raw);
	/* with MSG_TRUNC the length is the packet's, not what fitted */
	ssize_t n = recvfrom(e->fd, p->packet, PACKET_MAX, MSG_TRUNC, &raw.sa, &raw_len);

	(void)events;
	p->in_turn++;
	if (n < 0 || addr_from_sa(&raw.sa, raw_len, &from) < 0)
		return;

	struct str packet = str_n(p->packet, (size_t)n);
	if (take(p, in, packet, &from) && may_pass(in, out))
		pass(out, packet);
}
