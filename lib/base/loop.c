/*
 * The order of a turn is fixed: mail, descriptors, timers, on_turn. Before the wait every ring is
 * put to sleep; one with mail refuses, and then the turn does not wait but only looks what is
 * ready.
 *
 * Callbacks may remove any event or inbox and free its owner. So the batch of ready descriptors and
 * the walk over the inboxes are fields of the loop, where the removal finds and crosses out what it
 * removes, and nothing of an event is touched after its callback.
 */
#include "base/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	BATCH = 64, /* ready descriptors a turn; the rest is found by the next turn */
	MAIL_TOP =
		512 /* records of one ring a turn, so that a busy sender does not stop our timers */
};

static void stop_is_written(struct event *e, uint32_t epoll_events)
{
	uint64_t n;

	(void)epoll_events;
	(void)!read(e->fd, &n, sizeof(n));
}

int loop_init(struct loop *l)
{
	*l = (struct loop){ .epoll_fd = -1, .stop_fd = -1, .now_ms = clock_mono_ms() };
	wheel_init(&l->wheel, l->now_ms);
	list_init(&l->inboxes);

	int r;
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	l->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->epoll_fd < 0 || l->stop_fd < 0)
		r = -errno;
	else
		r = loop_add(l, &l->stop_event, l->stop_fd, EPOLLIN, stop_is_written);
	if (r < 0)
		loop_done(l);
	return r;
}

void loop_done(struct loop *l)
{
	if (l->epoll_fd >= 0)
		(void)close(l->epoll_fd);
	if (l->stop_fd >= 0)
		(void)close(l->stop_fd);
	l->epoll_fd = l->stop_fd = -1;
}

static int control(struct loop *l, int op, struct event *e, uint32_t epoll_events)
{
	struct epoll_event ev = { .events = epoll_events, .data.ptr = e };

	return epoll_ctl(l->epoll_fd, op, e->fd, &ev) < 0 ? -errno : 0;
}

int loop_add(struct loop *l, struct event *e, int fd, uint32_t epoll_events, event_fn *on_ready)
{
	assert(!e->is_added);
	e->fd = fd;
	e->on_ready = on_ready;

	int r = control(l, EPOLL_CTL_ADD, e, epoll_events);
	e->is_added = r == 0;
	return r;
}

int loop_change(struct loop *l, struct event *e, uint32_t epoll_events)
{
	return control(l, EPOLL_CTL_MOD, e, epoll_events);
}

void loop_del(struct loop *l, struct event *e)
{
	if (!e->is_added)
		return;
	(void)control(l, EPOLL_CTL_DEL, e, 0);
	e->is_added = false;
	for (int i = 0; i < l->ready_count; i++)
		if (l->ready[i].data.ptr == e)
			l->ready[i].data.ptr = NULL;
}

/* The descriptor only ends the wait; mail is taken from all rings, each turn. */
static void mail_waits(struct event *e, uint32_t epoll_events)
{
	(void)e;
	(void)epoll_events;
}

int loop_add_inbox(struct loop *l, struct inbox *in, struct ring *ring, mail_fn *on_mail)
{
	in->event = (struct event){ 0 };
	in->ring = ring;
	in->on_mail = on_mail;
	list_init(&in->node);

	int r = loop_add(l, &in->event, ring_fd(ring), EPOLLIN, mail_waits);
	if (r == 0)
		list_add_tail(&l->inboxes, &in->node);
	return r;
}

void loop_del_inbox(struct loop *l, struct inbox *in)
{
	loop_del(l, &in->event);
	list_del(&in->node);
	if (l->reading == in)
		l->reading = NULL;
}

/* All rings agree to sleep, or none does. */
static bool rings_sleep(struct loop *l)
{
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &l->inboxes)
		if (!ring_sleep(CONTAINER(it, struct inbox, node)->ring))
			return false;
	return true;
}

static void rings_awake(struct loop *l)
{
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &l->inboxes)
		ring_awake(CONTAINER(it, struct inbox, node)->ring);
}

/* How long to wait, from a clock read now: the turn's work may have taken a while. */
static int wait_ms(struct loop *l, int64_t max_wait_ms)
{
	int64_t wait = wheel_wait_ms(&l->wheel, clock_mono_ms());

	if (wait < 0 || (max_wait_ms >= 0 && max_wait_ms < wait))
		wait = max_wait_ms;
	if (atomic_load(&l->stop))
		wait = 0;
	return wait > INT_MAX ? INT_MAX : wait < 0 ? -1 : (int)wait;
}

/* The number of ready descriptors or negative errno. */
static int wait_ready(struct loop *l, int64_t max_wait_ms)
{
	int wait = wait_ms(l, max_wait_ms);
	bool sleeps = wait != 0 && rings_sleep(l);

	if (sleeps && l->on_sleep)
		l->on_sleep(l, l->ctx);

	int n = epoll_wait(l->epoll_fd, l->ready, BATCH, sleeps ? wait : 0);
	if (n < 0)
		n = errno == EINTR ? 0 : -errno;

	if (sleeps && l->on_wake)
		l->on_wake(l, l->ctx);
	rings_awake(l);
	return n;
}

static void run_ready(struct loop *l)
{
	for (int i = 0; i < l->ready_count; i++) {
		struct event *e = l->ready[i].data.ptr;

		if (e)
			e->on_ready(e, l->ready[i].events);
	}
	l->ready_count = 0;
}

static void read_inbox(struct loop *l, struct inbox *in)
{
	const void *record;
	size_t n;

	l->reading = in;
	for (int i = 0; i < MAIL_TOP && (record = ring_peek(in->ring, &n)); i++) {
		in->on_mail(in, record, n);
		if (!l->reading) /* the inbox is gone, and its ring perhaps too */
			return;
		ring_pop(in->ring);
	}
	l->reading = NULL;
}

static void run_mail(struct loop *l)
{
	struct list todo, *node;

	/* A list that shrinks stands any removal; a cursor would not. */
	list_init(&todo);
	list_move_all(&todo, &l->inboxes);
	while ((node = list_shift(&todo))) {
		list_add_tail(&l->inboxes, node);
		read_inbox(l, CONTAINER(node, struct inbox, node));
	}
}

int loop_turn(struct loop *l, int64_t max_wait_ms)
{
	struct epoll_event batch[BATCH];

	l->ready = batch;
	int n = wait_ready(l, max_wait_ms);
	if (n < 0)
		return n;
	l->ready_count = n;

	l->now_ms = clock_mono_ms();
	run_mail(l);
	run_ready(l);
	wheel_advance(&l->wheel, l->now_ms);
	if (l->on_turn)
		l->on_turn(l, l->ctx);
	return 0;
}

int loop_run(struct loop *l)
{
	while (!atomic_exchange(&l->stop, false)) {
		int r = loop_turn(l, -1);

		if (r < 0)
			return r;
	}
	return 0;
}

void loop_stop(struct loop *l)
{
	static const uint64_t one = 1;

	atomic_store(&l->stop, true);
	(void)!write(l->stop_fd, &one, sizeof(one));
}
