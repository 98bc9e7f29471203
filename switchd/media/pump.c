/*
 * A media thread. It owns the sockets of its relays and does what their workers order.
 *
 * A wake-up costs as much as passing two packets on. So a thread that is busy does not wait for the
 * next packet but naps a millisecond and then finds several. One that is not busy never naps: that
 * would cost it a second wake-up a packet.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

#include "base/nice.h"
#include "media/inner.h"

/* Busy: more than BUSY packets in a window, that is two in a nap. */
enum { WINDOW_MS = 50, BUSY = 100, NAP_NS = 1000000, FULL_TURN = 64 };

/* ---- orders ---- */

/*
 * epoll refuses only for want of kernel memory. Then the socket stays deaf, and the call ends by
 * its media time-out.
 */
static void plug_in(struct pump *p, struct relay *r)
{
	for (int s = 0; s < SIDE_COUNT; s++) {
		struct event *rtp = &r->rtp[s].event, *rtcp = &r->rtcp[s].event;

		(void)loop_add(&p->loop, rtp, rtp->fd, EPOLLIN, carry);
		(void)loop_add(&p->loop, rtcp, rtcp->fd, EPOLLIN, carry);
	}
}

static void unplug(struct pump *p, struct relay *r)
{
	for (int s = 0; s < SIDE_COUNT; s++) {
		loop_del(&p->loop, &r->rtp[s].event);
		loop_del(&p->loop, &r->rtcp[s].event);
	}
	relay_destroy(r);
}

static void expect(struct relay *r)
{
	const struct payloads *a = &r->payloads[SIDE_CALLER], *b = &r->payloads[SIDE_CALLEE];

	for (int i = 0; i < 2; i++)
		r->expected.word[i] = a->word[i] | b->word[i];
	if (r->expected.word[0] == 0 && r->expected.word[1] == 0)
		r->expected = (struct payloads){ { UINT64_MAX, UINT64_MAX } };
}

static void set_peer(struct relay *r, enum side s, const struct relay_peer *peer, ms_t now_ms)
{
	r->clock_hz[s] = peer->clock_hz;
	r->may_send[s] = peer->may_send;
	r->is_deaf[s] = peer->is_deaf;
	r->payloads[s] = peer->payloads;
	r->says_fax[s] = peer->is_fax;
	r->is_fax = r->says_fax[SIDE_CALLER] && r->says_fax[SIDE_CALLEE];
	r->rtp[s].has_faxed = r->rtp[s].has_faxed && r->is_fax;
	expect(r);
	latch_set(&r->rtp[s].latch, peer, false, now_ms);
	latch_set(&r->rtcp[s].latch, peer, true, now_ms);
}

/* The networks lie behind the order, aligned to nothing. */
static void on_peer(struct pump *p, const char *record, size_t n)
{
	struct peer_order o;
	struct cidr nets[LATCH_NETS];

	memcpy(&o, record, sizeof(o));
	if (n > sizeof(o))
		memcpy(nets, record + sizeof(o), n - sizeof(o));
	o.peer.nets = nets;
	set_peer(o.order.relay, o.order.side, &o.peer, p->loop.now_ms);
}

static void on_order(struct inbox *in, const void *record, size_t n)
{
	struct order o;

	(void)in;
	memcpy(&o, record, sizeof(o));

	struct relay *r = o.relay;
	struct pump *p = r->pump;

	switch (o.kind) {
	case ORDER_OPEN:
		plug_in(p, r);
		break;
	case ORDER_LISTEN:
		latch_open(&r->rtp[o.side].latch, p->loop.now_ms);
		latch_open(&r->rtcp[o.side].latch, p->loop.now_ms);
		break;
	case ORDER_PEER:
		on_peer(p, record, n);
		break;
	case ORDER_CLOSE:
		unplug(p, r);
		break;
	}
}

/* ---- the thread ---- */

static void measure(struct pump *p, ms_t now_ms)
{
	p->in_window += p->in_turn;
	if (now_ms - p->window_ms < WINDOW_MS)
		return;
	p->is_busy = p->in_window > (uint64_t)BUSY * (uint64_t)(now_ms - p->window_ms) / WINDOW_MS;
	p->in_window = 0;
	p->window_ms = now_ms;
}

/* A full turn means that more is waiting already. */
static void on_turn(struct loop *l, void *ctx)
{
	struct pump *p = ctx;
	bool may_nap = p->in_turn > 0 && p->in_turn < FULL_TURN;

	measure(p, l->now_ms);
	p->in_turn = 0;
	if (p->is_busy && may_nap)
		(void)nanosleep(&(struct timespec){ .tv_nsec = NAP_NS }, NULL);
}

int pump_create(struct pump **ret, int workers)
{
	struct pump *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->inbox = calloc((size_t)workers, sizeof(*p->inbox));

	int r = p->inbox ? loop_init(&p->loop) : -ENOMEM;
	if (r < 0) {
		free(p->inbox);
		free(p);
		return r;
	}
	p->loop.on_turn = on_turn;
	p->loop.ctx = p;
	*ret = p;
	return 0;
}

int pump_connect(struct pump *p, struct ring *orders)
{
	int r = loop_add_inbox(&p->loop, &p->inbox[p->inboxes], orders, on_order);

	if (r == 0)
		p->inboxes++;
	return r;
}

static void *run(void *arg)
{
	struct pump *p = arg;

	/* As far as the unit lets us (LimitNICE). */
	(void)pthread_setname_np(pthread_self(), NICE_MEDIA);
	(void)setpriority(PRIO_PROCESS, 0, NICE_OF_MEDIA);
	(void)loop_run(&p->loop);
	return NULL;
}

int pump_start(struct pump *p)
{
	int r = pthread_create(&p->thread, NULL, run, p);

	p->is_running = r == 0;
	return -r;
}

/* The last orders: relays that the workers' end closed. */
static void drain(struct inbox *in)
{
	const void *record;
	size_t n;

	while ((record = ring_peek(in->ring, &n))) {
		on_order(in, record, n);
		ring_pop(in->ring);
	}
}

struct pump *pump_free(struct pump *p)
{
	if (!p)
		return NULL;
	if (p->is_running) {
		loop_stop(&p->loop);
		(void)pthread_join(p->thread, NULL);
	}
	for (int i = 0; i < p->inboxes; i++) {
		drain(&p->inbox[i]);
		loop_del_inbox(&p->loop, &p->inbox[i]);
	}
	free(p->inbox);
	loop_done(&p->loop);
	free(p);
	return NULL;
}
