#include "media/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "media/inner.h"

/* A port of ours that somebody else has bound is passed over; so many tries, then the range counts as full. */
enum { BIND_TRIES = 8 };

/* ---- sockets ---- */

static int open_socket(const struct addr *host, uint16_t port)
{
	struct addr a = *host;
	int fd = socket(a.sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	addr_set_port(&a, port);
	if (bind(fd, &a.sa, addr_len(&a)) < 0) {
		int e = -errno;

		(void)close(fd);
		return e;
	}
	return fd;
}

static int open_pair(struct relay *r, enum side s, const struct addr *host, struct ports *ports,
		     uint16_t port)
{
	int rtp = open_socket(host, port), rtcp = rtp < 0 ? rtp : open_socket(host, port + 1);

	if (rtcp < 0) {
		if (rtp >= 0)
			(void)close(rtp);
		return rtcp;
	}
	r->rtp[s].event.fd = rtp;
	r->rtcp[s].event.fd = rtcp;
	r->ports[s] = ports;
	r->local[s] = *host;
	addr_set_port(&r->local[s], port);
	return 0;
}

/* A pair on the first media address that has one. */
static int take_pair(struct relay *r, enum side s)
{
	struct media *m = r->desk->media;
	ms_t now = clock_mono_ms();

	for (int h = 0; h < m->hosts; h++) {
		for (int i = 0; i < BIND_TRIES; i++) {
			uint16_t port = ports_take(m->ports[h], now);

			if (port == 0)
				break;

			int e = open_pair(r, s, &m->host[h], m->ports[h], port);

			if (e == 0)
				return 0;
			ports_give(m->ports[h], port, now);
			if (e != -EADDRINUSE)
				return e;
		}
	}
	return -EADDRNOTAVAIL;
}

static void wire(struct relay *r)
{
	for (int s = 0; s < SIDE_COUNT; s++) {
		struct plug *both[] = { &r->rtp[s], &r->rtcp[s] };

		for (int i = 0; i < 2; i++) {
			both[i]->relay = r;
			both[i]->side = (enum side)s;
			both[i]->is_rtcp = i == 1;
			both[i]->event.fd = -1;
		}
		atomic_init(&r->counters[s].heard_ms, r->opened_ms);
		r->may_send[s] = true;
	}
}

void relay_destroy(struct relay *r)
{
	ms_t now = clock_mono_ms();

	for (int s = 0; s < SIDE_COUNT; s++) {
		if (r->rtp[s].event.fd >= 0)
			(void)close(r->rtp[s].event.fd);
		if (r->rtcp[s].event.fd >= 0)
			(void)close(r->rtcp[s].event.fd);
		if (r->ports[s])
			ports_give(r->ports[s], addr_port(&r->local[s]), now);
	}
	atomic_fetch_sub(&r->desk->media->relays, 1);
	free(r);
}

/* ---- orders ---- */

static bool order(const struct relay *r, const struct order *o, const struct cidr *nets)
{
	struct media *m = r->desk->media;

	for (int i = 0; i < m->pumps; i++) {
		if (m->pump[i] == r->pump)
			return ring_push(r->desk->orders[i], o, sizeof(*o), nets,
					 (size_t)o->peer.net_count * sizeof(*nets));
	}
	return false;
}

void desk_flush(struct desk *d)
{
	for (int i = 0; i < d->media->pumps; i++)
		ring_flush(d->orders[i]);
}

int relay_open(struct relay **ret, struct desk *d)
{
	struct media *m = d->media;
	struct relay *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->desk = d;
	r->opened_ms = clock_mono_ms();
	r->pump = m->pump[atomic_fetch_add(&m->next, 1) % (uint32_t)m->pumps];
	atomic_fetch_add(&m->relays, 1);
	wire(r);
	int e = take_pair(r, SIDE_CALLER);
	if (e == 0)
		e = take_pair(r, SIDE_CALLEE);
	if (e == 0 && !order(r, &(struct order){ .kind = ORDER_OPEN, .relay = r }, NULL))
		e = -ENOBUFS;
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

void relay_listen(struct relay *r, enum side s)
{
	(void)order(r, &(struct order){ .kind = ORDER_LISTEN, .side = s, .relay = r }, NULL);
}

/* security.md M5: addresses that no peer of ours can have. 0.0.0.0 is an old way to say hold. */
static bool is_forbidden(const struct relay *r, enum side s, const struct addr *a)
{
	const struct media *m = r->desk->media;
	uint32_t range = atomic_load(&m->range);
	uint16_t port = addr_port(a);

	if (addr_is_multicast(a) || (addr_is_loopback(a) && !addr_is_loopback(&r->local[s])))
		return true;
	for (int i = 0; i < m->hosts; i++) {
		if (addr_eq_host(a, &m->host[i]) && port >= range >> 16 && port <= (range & 0xffff))
			return true;
	}
	return false;
}

int relay_set_peer(struct relay *r, enum side s, const struct relay_peer *p)
{
	struct order o = { .kind = ORDER_PEER, .side = s, .relay = r, .peer = *p };

	if (addr_is_set(&p->rtp) && addr_is_any(&p->rtp)) {
		o.peer.rtp = (struct addr){ 0 };
		o.peer.rtcp = (struct addr){ 0 };
	} else if (addr_is_set(&p->rtp) && is_forbidden(r, s, &p->rtp)) {
		return -EINVAL;
	}
	if (addr_is_set(&o.peer.rtcp) &&
	    (addr_is_any(&o.peer.rtcp) || is_forbidden(r, s, &o.peer.rtcp)))
		o.peer.rtcp = (struct addr){ 0 };
	if (o.peer.net_count > NETS_MAX)
		o.peer.net_count = NETS_MAX;
	return order(r, &o, p->nets) ? 0 : -ENOBUFS;
}

struct relay *relay_close(struct relay *r)
{
	/* A full ring would leave the sockets open for ever: the media thread is awake and empties it, so this ends. */
	while (r && !order(r, &(struct order){ .kind = ORDER_CLOSE, .relay = r }, NULL))
		desk_flush(r->desk);
	return NULL;
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
