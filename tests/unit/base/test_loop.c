#include "base/loop.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "unit.h"

/* A loop, two pipes and what happened, as letters. */
struct fixture {
	struct loop loop;
	int pipe[2][2];
	struct event event[2];
	struct timer timer;
	struct ring *ring[2];
	struct inbox inbox[2];
	char trace[64];
	size_t n;
};

static struct fixture *f;

static void trace(char c)
{
	assert_true(f->n < sizeof(f->trace) - 1);
	f->trace[f->n++] = c;
}

static void forget(void)
{
	f->n = 0;
	memset(f->trace, 0, sizeof(f->trace));
}

static void put(int i)
{
	assert_int_equal(write(f->pipe[i][1], "x", 1), 1);
}

static void take(struct event *e, uint32_t epoll_events)
{
	char c;

	assert_true(epoll_events & EPOLLIN);
	assert_int_equal(read(e->fd, &c, 1), 1);
	trace(e == &f->event[0] ? 'a' : 'b');
}

static void timer_fires(struct timer *t, int64_t now_ms)
{
	(void)t;
	(void)now_ms;
	trace('t');
}

static void mail_comes(struct inbox *in, const void *record, size_t n)
{
	(void)n;
	(void)in;
	trace(*(const char *)record);
}

static void turn_ends(struct loop *l, void *ctx)
{
	assert_ptr_equal(ctx, f);
	assert_ptr_equal(l, &f->loop);
	trace('.');
}

static void sleeps(struct loop *l, void *ctx)
{
	(void)l;
	(void)ctx;
	trace('(');
}

static void wakes(struct loop *l, void *ctx)
{
	(void)l;
	(void)ctx;
	trace(')');
}

static int setup(void **state)
{
	f = calloc(1, sizeof(*f));
	*state = f;
	if (!f || loop_init(&f->loop) < 0)
		return -1;
	f->loop.ctx = f;
	f->loop.on_turn = turn_ends;
	timer_init(&f->timer, timer_fires);
	for (int i = 0; i < 2; i++) {
		if (pipe(f->pipe[i]) < 0 || ring_create(&f->ring[i], 256) < 0)
			return -1;
		if (loop_add(&f->loop, &f->event[i], f->pipe[i][0], EPOLLIN, take) < 0 ||
		    loop_add_inbox(&f->loop, &f->inbox[i], f->ring[i], mail_comes) < 0)
			return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	if (!*state)
		return 0;
	for (int i = 0; i < 2; i++) {
		(void)close(f->pipe[i][0]);
		(void)close(f->pipe[i][1]);
		ring_free(f->ring[i]);
	}
	loop_done(&f->loop);
	free(f);
	return 0;
}

static void a_turn_does_mail_then_descriptors_then_timers(void **state)
{
	(void)state;
	timer_start(&f->loop.wheel, &f->timer, f->loop.now_ms);
	assert_true(ring_push(f->ring[0], "m", 1, NULL, 0));
	put(0);
	assert_int_equal(loop_turn(&f->loop, 0), 0);
	assert_string_equal(f->trace, "mat.");
	forget();
	assert_int_equal(loop_turn(&f->loop, 0), 0);
	assert_string_equal(f->trace, ".");
}

static void a_turn_sleeps_only_if_there_is_nothing_to_do(void **state)
{
	(void)state;
	f->loop.on_sleep = sleeps;
	f->loop.on_wake = wakes;
	assert_int_equal(loop_turn(&f->loop, 0), 0);
	assert_string_equal(f->trace, "."); /* told not to wait */
	forget();
	assert_int_equal(loop_turn(&f->loop, 1), 0);
	assert_string_equal(f->trace, "().");
	forget();
	assert_true(ring_push(f->ring[1], "m", 1, NULL, 0)); /* not even flushed */
	assert_int_equal(loop_turn(&f->loop, 100000), 0);
	assert_string_equal(f->trace, "m.");
	forget();
	timer_start(&f->loop.wheel, &f->timer, f->loop.now_ms);
	assert_int_equal(loop_turn(&f->loop, 100000), 0);
	assert_string_equal(f->trace, "t.");
}

static void a_timer_ends_the_wait(void **state)
{
	int64_t at = f->loop.now_ms + 20;

	(void)state;
	timer_start(&f->loop.wheel, &f->timer, at);
	while (timer_is_running(&f->timer))
		assert_int_equal(loop_turn(&f->loop, -1), 0);
	assert_true(f->loop.now_ms >= at);
}

static void what_is_not_read_is_reported_again(void **state)
{
	(void)state;
	put(0);
	put(0);
	put(1);
	assert_int_equal(loop_turn(&f->loop, 0), 0);
	assert_int_equal(loop_turn(&f->loop, 0), 0);
	assert_int_equal(f->n, 5);
	assert_memory_equal(f->trace + 3, "a.", 2);
}

static void interest_can_change(void **state)
{
	(void)state;
	put(0);
	assert_int_equal(loop_change(&f->loop, &f->event[0], 0), 0);
	assert_int_equal(loop_turn(&f->loop, 0), 0);
	assert_string_equal(f->trace, ".");
	assert_int_equal(loop_change(&f->loop, &f->event[0], EPOLLIN), 0);
	assert_int_equal(loop_turn(&f->loop, 0), 0);
	assert_string_equal(f->trace, ".a.");
}

static void remove_both(struct event *e, uint32_t epoll_events)
{
	take(e, epoll_events);
	for (int i = 0; i < 2; i++) {
		loop_del(&f->loop, &f->event[i]);
		loop_del(&f->loop, &f->event[i]); /* harmless */
	}
}

static void an_event_removed_by_another_is_not_called(void **state)
{
	(void)state;
	f->event[0].on_ready = f->event[1].on_ready = remove_both;
	put(0);
	put(1);
	assert_int_equal(loop_turn(&f->loop, 0), 0);
	assert_int_equal(f->n, 2); /* one of the two, and the end of the turn */
	assert_int_equal(loop_turn(&f->loop, 0), 0);
	assert_int_equal(f->n, 3);
}

struct owner {
	struct event event;
};

static void free_owner(struct event *e, uint32_t epoll_events)
{
	(void)epoll_events;
	loop_del(&f->loop, e);
	free(CONTAINER(e, struct owner, event));
	trace('f');
}

static void an_event_may_be_freed_in_its_callback(void **state)
{
	struct owner *o = calloc(1, sizeof(*o));

	(void)state;
	assert_non_null(o);
	loop_del(&f->loop, &f->event[0]);
	assert_int_equal(loop_add(&f->loop, &o->event, f->pipe[0][0], EPOLLIN, free_owner), 0);
	put(0);
	assert_int_equal(loop_turn(&f->loop, 0), 0);
	assert_int_equal(loop_turn(&f->loop, 0), 0);
	assert_string_equal(f->trace, "f..");
}

static void a_bad_descriptor_is_not_added(void **state)
{
	struct event e = { 0 };

	(void)state;
	assert_int_equal(loop_add(&f->loop, &e, -1, EPOLLIN, take), -EBADF);
	assert_false(e.is_added);
	loop_del(&f->loop, &e);
}

static void remove_inboxes(struct inbox *in, const void *record, size_t n)
{
	mail_comes(in, record, n);
	for (int i = 0; i < 2; i++) {
		loop_del_inbox(&f->loop, &f->inbox[i]);
		f->ring[i] = ring_free(f->ring[i]);
	}
}

static void an_inbox_and_its_ring_may_go_while_mail_is_read(void **state)
{
	(void)state;
	f->inbox[0].on_mail = remove_inboxes;
	for (int i = 0; i < 4; i++)
		assert_true(ring_push(f->ring[i % 2], "m", 1, NULL, 0));
	assert_int_equal(loop_turn(&f->loop, 0), 0);
	assert_string_equal(f->trace, "m.");
	assert_int_equal(loop_turn(&f->loop, 0), 0);
	assert_string_equal(f->trace, "m..");
}

static void add_mail(struct inbox *in, const void *record, size_t n)
{
	(void)in;
	assert_true(ring_push(f->ring[0], record, n, NULL, 0));
}

static void mail_without_end_does_not_stop_timers(void **state)
{
	(void)state;
	f->inbox[0].on_mail = add_mail;
	assert_true(ring_push(f->ring[0], "m", 1, NULL, 0));
	timer_start(&f->loop.wheel, &f->timer, f->loop.now_ms);
	assert_int_equal(loop_turn(&f->loop, 100000), 0);
	assert_int_equal(loop_turn(&f->loop, 100000),
			 0); /* and mail left over does not let it sleep */
	assert_string_equal(f->trace, "t..");
}

enum { MAIL = 20000 };

static void *write_mail(void *arg)
{
	struct ring *r = arg;

	for (uint32_t i = 0; i < MAIL; i++) {
		while (!ring_push(r, &i, sizeof(i), NULL, 0))
			ring_flush(r);
		if (i % 7 == 0)
			ring_flush(r);
	}
	ring_flush(r);
	return NULL;
}

static uint32_t expected;

static void count_mail(struct inbox *in, const void *record, size_t n)
{
	(void)in;
	assert_int_equal(n, sizeof(uint32_t));
	assert_int_equal(*(const uint32_t *)record, expected);
	if (++expected == MAIL)
		loop_stop(&f->loop);
}

static void mail_of_another_thread_wakes_the_loop(void **state)
{
	pthread_t writer;

	(void)state;
	f->loop.on_turn = NULL;
	f->inbox[0].on_mail = count_mail;
	expected = 0;
	assert_int_equal(pthread_create(&writer, NULL, write_mail, f->ring[0]), 0);
	assert_int_equal(loop_run(&f->loop), 0);
	assert_int_equal(expected, MAIL);
	assert_int_equal(pthread_join(writer, NULL), 0);
}

static void *stop_it(void *arg)
{
	loop_stop(arg);
	return NULL;
}

static void another_thread_stops_the_loop(void **state)
{
	(void)state;
	f->loop.on_turn = NULL;
	for (int i = 0; i < 100; i++) {
		pthread_t other;

		assert_int_equal(pthread_create(&other, NULL, stop_it, &f->loop), 0);
		assert_int_equal(loop_run(&f->loop), 0);
		assert_int_equal(pthread_join(other, NULL), 0);
	}
}

static void on_signal(int signal)
{
	(void)signal;
}

static void a_signal_is_not_an_error(void **state)
{
	struct sigaction sa = { .sa_handler = on_signal };

	(void)state;
	assert_int_equal(sigaction(SIGALRM, &sa, NULL), 0);
	(void)ualarm(1000, 0);
	assert_int_equal(loop_turn(&f->loop, 10000), 0);
	assert_string_equal(f->trace, ".");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define LOOP_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		LOOP_TEST(a_turn_does_mail_then_descriptors_then_timers),
		LOOP_TEST(a_turn_sleeps_only_if_there_is_nothing_to_do),
		LOOP_TEST(a_timer_ends_the_wait),
		LOOP_TEST(what_is_not_read_is_reported_again),
		LOOP_TEST(interest_can_change),
		LOOP_TEST(an_event_removed_by_another_is_not_called),
		LOOP_TEST(an_event_may_be_freed_in_its_callback),
		LOOP_TEST(a_bad_descriptor_is_not_added),
		LOOP_TEST(an_inbox_and_its_ring_may_go_while_mail_is_read),
		LOOP_TEST(mail_without_end_does_not_stop_timers),
		LOOP_TEST(mail_of_another_thread_wakes_the_loop),
		LOOP_TEST(another_thread_stops_the_loop),
		LOOP_TEST(a_signal_is_not_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
