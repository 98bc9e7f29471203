#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "media/inner.h"

/*
 * A media thread. It owns the sockets of its relays: a packet that comes in on one side's socket leaves by the other side's. No allocation,
 * no lock and no clock call a packet: buffers are the thread's, the time is the loop turn's.
 */

enum { BATCH = 16, PACKET = 2048 };

struct pump {
	struct media *media;
	struct loop loop;
	struct inbox *inbox; /* one a worker */
	int inboxes;
	struct mmsghdr in[BATCH], out[BATCH];
	struct iovec in_vec[BATCH], out_vec[BATCH];
	struct addr from[BATCH];
	char bytes[BATCH][PACKET];
	_Atomic uint64_t packets, refused;
	pthread_t thread;
	bool is_running;
};

static void add(_Atomic uint64_t *counter, uint64_t n)
{
	/* one writer, so a load and a store do */
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

/* ---- packets ---- */

static bool is_valid(const struct plug *in, struct str packet, struct rtp_header *h)
{
	if (!in->is_rtcp)
		return rtp_read(packet, h);
	h->ssrc = 0;
	return rtcp_is_valid(packet);
}

static void count_in(struct plug *in, const struct rtp_header *h, size_t n, ms_t now_ms)
{
	struct relay *r = in->relay;
	struct counters *c = &r->counters[in->side];
	uint32_t hz = r->clock_hz[in->side] ? r->clock_hz[in->side] : 8000;

	atomic_store_explicit(&c->heard_ms, now_ms, memory_order_relaxed);
	if (in->is_rtcp)
		return;
	add(&c->packets_in, 1);
	add(&c->bytes_in, n);
	rtp_count(&r->count[in->side], h, (uint32_t)(now_ms * hz / 1000));
	atomic_store_explicit(&c->lost, rtp_lost(&r->count[in->side]), memory_order_relaxed);
	atomic_store_explicit(&c->jitter_us, rtp_jitter_us(&r->count[in->side], hz),
			      memory_order_relaxed);
}

/* Is this packet to be passed on? Counts it in any case. */
static bool take(struct pump *p, struct plug *in, int i)
{
	struct str packet = str_n(p->bytes[i], p->in[i].msg_len);
	struct rtp_header h;
	struct addr from;
	bool is_whole = !(p->in[i].msg_hdr.msg_flags & MSG_TRUNC);

	if (!is_whole || addr_from_sa(&p->from[i].sa, p->in[i].msg_hdr.msg_namelen, &from) < 0 ||
	    !is_valid(in, packet, &h) || !latch_accept(&in->latch, &from, h.ssrc, p->loop.now_ms)) {
		add(&in->relay->counters[in->side].refused, 1);
		add(&p->refused, 1);
		return false;
	}
	count_in(in, &h, packet.n, p->loop.now_ms);
	add(&p->packets, 1);
	return in->relay->may_send[in->side];
}

static void send_out(struct pump *p, struct plug *out, int n)
{
	int sent = sendmmsg(out->event.fd, p->out, (unsigned)n, 0);
	struct counters *c = &out->relay->counters[out->side];

	for (int i = 0; !out->is_rtcp && i < sent; i++) {
		add(&c->packets_out, 1);
		add(&c->bytes_out, p->out_vec[i].iov_len);
	}
}

static void prepare_in(struct pump *p)
{
	for (int i = 0; i < BATCH; i++) {
		p->in[i].msg_hdr.msg_name = &p->from[i];
		p->in[i].msg_hdr.msg_namelen = sizeof(p->from[i]);
		p->in[i].msg_hdr.msg_iov = &p->in_vec[i];
		p->in[i].msg_hdr.msg_iovlen = 1;
		p->in_vec[i] = (struct iovec){ p->bytes[i], PACKET };
	}
}

static struct pump *pump_of(const struct plug *p)
{
	return p->relay->pump;
}

static void on_packets(struct event *e, uint32_t events)
{
	struct plug *in = CONTAINER(e, struct plug, event);
	struct pump *p = pump_of(in);
	struct relay *r = in->relay;
	enum side other = in->side == SIDE_CALLER ? SIDE_CALLEE : SIDE_CALLER;
	struct plug *out = in->is_rtcp ? &r->rtcp[other] : &r->rtp[other];
	int n, keep = 0;

	(void)events;
	for (int i = 0; i < BATCH; i++)
		p->in[i].msg_hdr.msg_namelen = sizeof(p->from[i]);
	n = recvmmsg(e->fd, p->in, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		if (!take(p, in, i) || !addr_is_set(&out->latch.to))
			continue;
		p->out_vec[keep] = (struct iovec){ p->bytes[i], p->in[i].msg_len };
		p->out[keep].msg_hdr = (struct msghdr){ .msg_name = &out->latch.to,
							.msg_namelen = addr_len(&out->latch.to),
							.msg_iov = &p->out_vec[keep],
							.msg_iovlen = 1 };
		keep++;
	}
	if (keep > 0)
		send_out(p, out, keep);
}

/* ---- orders ---- */

static void plug_in(struct pump *p, struct relay *r)
{
	for (int s = 0; s < SIDE_COUNT; s++) {
		struct plug *both[] = { &r->rtp[s], &r->rtcp[s] };

		for (int i = 0; i < 2; i++)
			(void)loop_add(&p->loop, &both[i]->event, both[i]->event.fd, EPOLLIN,
				       on_packets);
	}
}

static void unplug(struct pump *p, struct relay *r)
{
	for (int s = 0; s < SIDE_COUNT; s++) {
		int rtp = r->rtp[s].event.fd, rtcp = r->rtcp[s].event.fd;

		loop_del(&p->loop, &r->rtp[s].event);
		loop_del(&p->loop, &r->rtcp[s].event);
		r->rtp[s].event.fd = rtp;
		r->rtcp[s].event.fd = rtcp;
	}
	relay_destroy(r);
}

static void set_peer(struct order *o, const struct cidr *nets)
{
	struct relay *r = o->relay;

	o->peer.nets = nets;
	r->clock_hz[o->side] = o->peer.clock_hz;
	r->may_send[o->side] = o->peer.may_send;
	latch_set(&r->rtp[o->side].latch, &o->peer, false);
	latch_set(&r->rtcp[o->side].latch, &o->peer, true);
}

static void on_order(struct inbox *in, const void *record, size_t n)
{
	struct order o;
	struct cidr nets[NETS_MAX];

	memcpy(&o, record, sizeof(o));
	if (n > sizeof(o))
		memcpy(nets, (const char *)record + sizeof(o), n - sizeof(o));

	struct pump *p = o.relay->pump;

	(void)in;
	switch (o.kind) {
	case ORDER_OPEN:
		plug_in(p, o.relay);
		break;
	case ORDER_LISTEN:
		latch_open(&o.relay->rtp[o.side].latch);
		latch_open(&o.relay->rtcp[o.side].latch);
		break;
	case ORDER_PEER:
		set_peer(&o, nets);
		break;
	case ORDER_CLOSE:
		unplug(p, o.relay);
		break;
	}
}

/* ---- the thread ---- */

int pump_create(struct pump **ret, struct media *m, struct ring *const *orders, int desks)
{
	struct pump *p = calloc(1, sizeof(*p));
	int r = p ? loop_init(&p->loop) : -ENOMEM;

	if (r < 0) {
		free(p);
		return r;
	}
	p->media = m;
	p->inbox = calloc((size_t)desks, sizeof(*p->inbox));
	for (int i = 0; p->inbox && r == 0 && i < desks; i++) {
		r = loop_add_inbox(&p->loop, &p->inbox[i], orders[i], on_order);
		p->inboxes++;
	}
	if (!p->inbox || r < 0) {
		pump_free(p);
		return r < 0 ? r : -ENOMEM;
	}
	prepare_in(p);
	*ret = p;
	return 0;
}

static void *run(void *arg)
{
	struct pump *p = arg;

	(void)loop_run(&p->loop);
	return NULL;
}

int pump_start(struct pump *p)
{
	int r = pthread_create(&p->thread, NULL, run, p);

	p->is_running = r == 0;
	return -r;
}

struct pump *pump_free(struct pump *p)
{
	if (!p)
		return NULL;
	if (p->is_running) {
		loop_stop(&p->loop);
		(void)pthread_join(p->thread, NULL);
	}
	(void)loop_turn(&p->loop, 0); /* the last orders: relays closed by the workers' end */
	for (int i = 0; i < p->inboxes; i++)
		loop_del_inbox(&p->loop, &p->inbox[i]);
	free(p->inbox);
	loop_done(&p->loop);
	free(p);
	return NULL;
}

void pump_totals(const struct pump *p, struct media_totals *ret)
{
	ret->packets += atomic_load_explicit(&p->packets, memory_order_relaxed);
	ret->refused += atomic_load_explicit(&p->refused, memory_order_relaxed);
}
