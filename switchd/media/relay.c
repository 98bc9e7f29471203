#include "media/relay.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "media/inner.h"

static void wire(struct relay *r)
{
	for (int s = 0; s < SIDE_COUNT; s++) {
		struct plug *both[] = { &r->rtp[s], &r->rtcp[s] };

		for (int i = 0; i < 2; i++) {
			both[i]->relay = r;
			both[i]->side = (enum side)s;
			both[i]->is_rtcp = i == 1;
		}
		atomic_init(&r->counters[s].heard_ms, r->opened_ms);
		r->may_send[s] = true;
	}
	r->expected = (struct payloads){ { UINT64_MAX, UINT64_MAX } };
}

void relay_destroy(struct relay *r)
{
	for (int s = 0; s < SIDE_COUNT; s++)
		pair_give(r, (enum side)s);
	atomic_fetch_sub(&r->line->media->relays, 1);
	free(r);
}

/* ---- orders ---- */

/* What a record costs in the ring, at most: its header and padding (ring_room). */
static size_t cost(size_t n)
{
	return n + 16;
}

/* Is there room for so many octets beside a close of each of so many relays? */
static bool has_room(const struct line *l, uint32_t relays, size_t n)
{
	return ring_room(l->orders) >= relays * cost(sizeof(struct order)) + cost(n);
}

/* Stores an order of the relay unless that would take the place of a close to come, of these relays. */
static int order(struct relay *r, uint32_t relays, const void *a, size_t na, const void *b,
		 size_t nb)
{
	struct ring *to = r->line->orders;

	if (!has_room(r->line, relays, na + nb) || !ring_push(to, a, na, b, nb))
		return -ENOBUFS;
	r->ordered = ring_position(to);
	return 0;
}

void desk_flush(struct desk *d)
{
	for (int i = 0; i < d->media->pumps; i++)
		ring_flush(d->line[i].orders);
}

/* From here on the relay is the media thread's, if it went well. */
static int open_order(struct relay *r)
{
	struct order o = { .kind = ORDER_OPEN, .relay = r };
	int e = order(r, r->line->relays + 1, &o, sizeof(o), NULL, 0);

	if (e == 0)
		r->line->relays++;
	return e;
}

int relay_open(struct relay **ret, struct desk *d, const bool is_v6[SIDE_COUNT])
{
	struct media *m = d->media;
	struct relay *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->line = &d->line[atomic_fetch_add(&m->next, 1) % (uint32_t)m->pumps];
	r->pump = r->line->pump;
	r->opened_ms = clock_mono_ms();
	atomic_fetch_add(&m->relays, 1);
	wire(r);
	int e = pair_take(r, SIDE_CALLER, is_v6[SIDE_CALLER]);
	if (e == 0)
		e = pair_take(r, SIDE_CALLEE, is_v6[SIDE_CALLEE]);
	if (e == 0)
		e = open_order(r);
	if (e < 0) {
		relay_destroy(r);
		return e;
	}
	*ret = r;
	return 0;
}

const struct addr *relay_local(const struct relay *r, enum side s)
{
	return &r->local[s];
}

struct addr relay_shown(const struct relay *r, enum side s, const struct addr *peer)
{
	struct addr a = r->local[s];

	outside_show(&r->line->media->outside, peer, &a);
	return a;
}

int relay_listen(struct relay *r, enum side s)
{
	struct order o = { .kind = ORDER_LISTEN, .side = s, .relay = r };

	return order(r, r->line->relays, &o, sizeof(o), NULL, 0);
}

/* security.md M5: addresses that no peer of ours can have. */
static bool is_forbidden(const struct relay *r, enum side s, const struct addr *a)
{
	const struct media *m = r->line->media;
	uint32_t range = atomic_load(&m->range);
	uint16_t port = addr_port(a);

	if (addr_is_multicast(a) || (addr_is_loopback(a) && !addr_is_loopback(&r->local[s])))
		return true;
	if (port < range >> 16 || port > (range & 0xffff))
		return false;
	for (int i = 0; i < m->hosts; i++) {
		if (addr_eq_host(a, &m->host[i]))
			return true;
	}
	return outside_has(&m->outside, a);
}

int relay_set_peer(struct relay *r, enum side s, const struct relay_peer *p)
{
	struct peer_order o = { .order = { .kind = ORDER_PEER, .side = s, .relay = r },
				.peer = *p };
	struct addr *rtp = &o.peer.rtp, *rtcp = &o.peer.rtcp;

	if (addr_is_set(rtp) && addr_is_any(rtp)) { /* hold, as RFC 2543 said it */
		*rtp = *rtcp = (struct addr){ 0 };
		o.peer.is_deaf = true;
	}
	if (addr_is_set(rtp) && is_forbidden(r, s, rtp))
		return -EINVAL;
	if (addr_is_set(rtcp) && (addr_is_any(rtcp) || is_forbidden(r, s, rtcp)))
		*rtcp = (struct addr){ 0 };
	if (o.peer.net_count > LATCH_NETS)
		o.peer.net_count = LATCH_NETS;
	return order(r, r->line->relays, &o, sizeof(o), p->nets,
		     (size_t)o.peer.net_count * sizeof(*p->nets));
}

int relay_join(struct relay *r, enum side s, const struct relay *with, enum side looking,
	       const struct relay_peer *p)
{
	struct peer_order o = { .order = { .kind = ORDER_PEER, .side = s, .relay = r },
				.peer = *p };

	o.peer.rtp = o.peer.rtcp = with->local[looking];
	addr_set_port(&o.peer.rtcp, (uint16_t)(addr_port(&o.peer.rtp) + 1));
	o.peer.nets = NULL;
	o.peer.net_count = 0;
	return order(r, r->line->relays, &o, sizeof(o), NULL, 0);
}

struct relay *relay_close(struct relay *r)
{
	if (!r)
		return NULL;

	struct order o = { .kind = ORDER_CLOSE, .relay = r };
	struct line *l = r->line;
	bool is_stored = ring_push(l->orders, &o, sizeof(o), NULL, 0);

	assert(is_stored);
	(void)is_stored;
	l->relays--;
	return NULL;
}

/* ---- to another worker ---- */

bool relay_is_settled(const struct relay *r)
{
	return ring_is_past(r->line->orders, r->ordered);
}

bool desk_reserve(struct desk *d)
{
	for (int i = 0; i < d->media->pumps; i++) {
		if (!has_room(&d->line[i], d->line[i].relays + 1, 0))
			return false;
	}
	for (int i = 0; i < d->media->pumps; i++)
		d->line[i].relays++;
	return true;
}

void desk_reserve_again(struct desk *d)
{
	for (int i = 0; i < d->media->pumps; i++)
		d->line[i].relays++;
}

void desk_unreserve(struct desk *d)
{
	for (int i = 0; i < d->media->pumps; i++)
		d->line[i].relays--;
}

void relay_leave(struct relay *r)
{
	r->line->relays--;
}

void relay_adopt(struct relay *r, struct desk *d)
{
	int i = 0;

	while (d->line[i].pump != r->pump)
		i++;
	desk_unreserve(d);
	r->line = &d->line[i];
	r->line->relays++;
	r->ordered = ring_position(r->line->orders);
}

/* ---- counters ---- */

void relay_stats(const struct relay *r, enum side s, struct relay_stats *ret)
{
	const struct counters *c = &r->counters[s];

	ret->packets_in = atomic_load_explicit(&c->packets_in, memory_order_relaxed);
	ret->bytes_in = atomic_load_explicit(&c->bytes_in, memory_order_relaxed);
	ret->packets_out = atomic_load_explicit(&c->packets_out, memory_order_relaxed);
	ret->bytes_out = atomic_load_explicit(&c->bytes_out, memory_order_relaxed);
	ret->lost = atomic_load_explicit(&c->lost, memory_order_relaxed);
	ret->refused = atomic_load_explicit(&c->refused, memory_order_relaxed);
	ret->jitter_us = atomic_load_explicit(&c->jitter_us, memory_order_relaxed);
	ret->mos_100 = rtp_mos_100(ret->packets_in, ret->lost, ret->jitter_us);
}

ms_t relay_heard_side_ms(const struct relay *r, enum side s)
{
	return atomic_load_explicit(&r->counters[s].heard_ms, memory_order_relaxed);
}

ms_t relay_heard_ms(const struct relay *r)
{
	ms_t a = relay_heard_side_ms(r, SIDE_CALLER), b = relay_heard_side_ms(r, SIDE_CALLEE);

	return a > b ? a : b;
}
