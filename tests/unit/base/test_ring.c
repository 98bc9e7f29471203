#include "base/ring.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "oom.h"
#include "unit.h"

static struct ring *make(size_t size)
{
	struct ring *r = NULL;

	assert_int_equal(ring_create(&r, size), 0);
	return r;
}

static bool is_readable(const struct ring *r)
{
	struct pollfd p = { .fd = ring_fd(r), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void records_arrive_whole_and_in_order(void **state)
{
	CLEANUP(ring_free) struct ring *r = make(256);
	size_t n;

	(void)state;
	assert_null(ring_peek(r, &n));
	assert_true(ring_push(r, "abc", 3, "de", 2));
	assert_true(ring_push(r, NULL, 0, NULL, 0));
	assert_true(ring_push(r, "x", 1, NULL, 0));

	assert_memory_equal(ring_peek(r, &n), "abcde", 5);
	assert_int_equal(n, 5);
	assert_memory_equal(ring_peek(r, &n), "abcde", 5); /* until it is popped */
	ring_pop(r);
	assert_non_null(ring_peek(r, &n));
	assert_int_equal(n, 0);
	ring_pop(r);
	assert_memory_equal(ring_peek(r, &n), "x", 1);
	ring_pop(r);
	assert_null(ring_peek(r, &n));
}

static void the_producer_knows_what_was_popped(void **state)
{
	CLEANUP(ring_free) struct ring *r = make(256);
	size_t n, before, behind;

	(void)state;
	before = ring_position(r);
	assert_true(ring_is_past(r, before));
	for (int i = 0; i < 20; i++) { /* three times around */
		assert_true(ring_push(r, "0123456789", 10, NULL, 0));
		behind = ring_position(r);
		assert_true(ring_push(r, "x", 1, NULL, 0));
		assert_false(ring_is_past(r, behind));
		assert_non_null(ring_peek(r, &n));
		assert_false(ring_is_past(r, behind));
		ring_pop(r);
		assert_true(ring_is_past(r, behind));
		assert_false(ring_is_past(r, ring_position(r)));
		assert_non_null(ring_peek(r, &n));
		ring_pop(r);
		assert_true(ring_is_past(r, ring_position(r)));
	}
}

static void records_are_aligned_for_structs(void **state)
{
	CLEANUP(ring_free) struct ring *r = make(1024);
	size_t n;

	(void)state;
	for (size_t len = 0; len < 20; len++)
		assert_true(ring_push(r, "abcdefghijklmnopqrst", len, NULL, 0));
	for (size_t len = 0; len < 20; len++) {
		assert_int_equal((uintptr_t)ring_peek(r, &n) % 8, 0);
		ring_pop(r);
	}
}

static void absurd_sizes_are_refused(void **state)
{
	CLEANUP(ring_free) struct ring *r = NULL;
	char big[65] = { 0 };

	(void)state;
	assert_int_equal(ring_create(&r, 0), -EINVAL);
	assert_int_equal(ring_create(&r, SIZE_MAX), -EINVAL);
	assert_null(r);
	r = make(256);
	assert_true(ring_push(r, big, 64, NULL, 0));
	assert_false(ring_push(r, big, 65, NULL, 0));
	assert_false(ring_push(r, big, 33, big, 32));
	assert_false(ring_push(r, big, SIZE_MAX, big, SIZE_MAX));
	assert_false(ring_push(r, big, 1, big, SIZE_MAX));
}

static void a_full_ring_stores_nothing(void **state)
{
	CLEANUP(ring_free) struct ring *r = make(64);
	size_t n;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_true(ring_push(r, "12345678", 8, NULL, 0));
	assert_int_equal(ring_room(r), 0);
	assert_false(ring_push(r, NULL, 0, NULL, 0));
	for (int i = 0; i < 4; i++) {
		assert_memory_equal(ring_peek(r, &n), "12345678", 8);
		ring_pop(r);
	}
	assert_null(ring_peek(r, &n));
}

/* The content of record number i, which both ends can compute. */
static size_t fill(unsigned char *p, uint64_t i, size_t max)
{
	size_t n = chance(&(uint64_t){ i }, max + 1);

	for (size_t k = 0; k < n; k++)
		p[k] = (unsigned char)(i * 31 + k);
	return n;
}

static void random_sizes_go_round_the_ring_unharmed(void **state)
{
	(void)state;
	for (size_t size = 64; size <= 4096; size *= 2) {
		CLEANUP(ring_free) struct ring *r = make(size);
		uint64_t pushed = 0, popped = 0, seed = size;

		for (int step = 0; step < 20000; step++) {
			unsigned char record[1024];
			size_t got, n;

			if (chance(&seed, 2)) {
				size_t room = ring_room(r);
				size_t cut;

				n = fill(record, pushed, size / 4);
				cut = chance(&seed, n + 1);
				bool ok = ring_push(r, record, cut, record + cut, n - cut);
				if (n && n <= room)
					assert_true(ok);
				pushed += ok;
				continue;
			}
			const void *p = ring_peek(r, &got);
			assert_int_equal(p != NULL, pushed != popped);
			if (!p)
				continue;
			n = fill(record, popped, size / 4);
			assert_int_equal(got, n);
			assert_memory_equal(p, record, n);
			ring_pop(r);
			popped++;
		}
		assert_true(popped > 5000);
	}
}

static void room_is_kept_for_as_many_records_as_promised(void **state)
{
	CLEANUP(ring_free) struct ring *r = make(4096);
	uint64_t seed = 3;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		char record[64] = { 0 };
		size_t n = 8 * (1 + chance(&seed, 8)), fit = (ring_room(r) + 8) / (n + 8), got;

		for (size_t i = 0; i < fit; i++)
			assert_true(ring_push(r, record, n, NULL, 0));
		for (size_t i = chance(&seed, 40); i > 0 && ring_peek(r, &got); i--)
			ring_pop(r);
	}
}

static void only_a_sleeping_reader_is_woken(void **state)
{
	CLEANUP(ring_free) struct ring *r = make(256);
	size_t n;

	(void)state;
	assert_true(ring_push(r, "a", 1, NULL, 0));
	ring_flush(r);
	assert_false(is_readable(r)); /* the reader is awake */
	assert_false(ring_sleep(r));  /* there is mail */

	assert_non_null(ring_peek(r, &n));
	ring_pop(r);
	assert_true(ring_sleep(r));
	assert_false(is_readable(r));
	ring_flush(r); /* nothing new */
	assert_false(is_readable(r));
	assert_true(ring_push(r, "b", 1, NULL, 0));
	assert_false(is_readable(r)); /* not before the flush */
	ring_flush(r);
	assert_true(is_readable(r));
	ring_awake(r);
	assert_false(is_readable(r));
	assert_false(ring_sleep(r));
}

static void a_reader_that_woke_for_something_else_is_left_alone(void **state)
{
	CLEANUP(ring_free) struct ring *r = make(256);

	(void)state;
	assert_true(ring_sleep(r));
	ring_awake(r);
	assert_true(ring_push(r, "a", 1, NULL, 0));
	ring_flush(r);
	assert_false(is_readable(r));
	assert_false(ring_sleep(r));
}

enum { MAIL = 200000, MAIL_SIZE = 100 };

static void *write_mail(void *arg)
{
	struct ring *r = arg;
	uint64_t seed = 5;

	for (uint64_t i = 0; i < MAIL; i++) {
		unsigned char record[MAIL_SIZE];
		size_t n = fill(record, i, sizeof(record));

		while (!ring_push(r, record, n, NULL, 0))
			ring_flush(r); /* full: the reader must not sleep over it */
		if (chance(&seed, 16) == 0)
			ring_flush(r);
	}
	ring_flush(r);
	return NULL;
}

/* Waits as the header says. False when nothing came for 20 s: a wake-up was lost. */
static bool await(struct ring *r)
{
	struct pollfd p = { .fd = ring_fd(r), .events = POLLIN };
	int n = ring_sleep(r) ? poll(&p, 1, 20000) : 1;

	ring_awake(r);
	return n == 1;
}

static void two_threads_lose_neither_mail_nor_wake_up(void **state)
{
	CLEANUP(ring_free) struct ring *r = make(4096);
	uint64_t read = 0;
	pthread_t writer;

	(void)state;
	assert_int_equal(pthread_create(&writer, NULL, write_mail, r), 0);
	while (read < MAIL) {
		unsigned char record[MAIL_SIZE];
		size_t got, n;
		const void *p = ring_peek(r, &got);

		if (!p) {
			assert_true(await(r));
			continue;
		}
		n = fill(record, read++, sizeof(record));
		assert_int_equal(got, n);
		assert_memory_equal(p, record, n);
		ring_pop(r);
	}
	assert_int_equal(pthread_join(writer, NULL), 0);

	/* What the writer still owed is here now, and nothing remains that would wake for ever. */
	(void)ring_sleep(r);
	ring_awake(r);
	assert_false(is_readable(r));
}

static void *answer_mail(void *arg)
{
	struct ring **ring = arg;

	for (int left = MAIL / 20; left > 0;) {
		size_t n;

		if (!ring_peek(ring[0], &n)) {
			if (!await(ring[0]))
				break;
			continue;
		}
		ring_pop(ring[0]);
		(void)ring_push(ring[1], "pong", 4, NULL, 0);
		ring_flush(ring[1]);
		left--;
	}
	return NULL;
}

/* Each side sleeps for each record, so every one of the wake-ups counts. */
static void ping_and_pong_never_wait_for_each_other(void **state)
{
	struct ring *ring[2] = { make(64), make(64) };
	pthread_t other;
	bool lost = false;

	(void)state;
	assert_int_equal(pthread_create(&other, NULL, answer_mail, ring), 0);
	for (int i = 0; i < MAIL / 20 && !lost; i++) {
		size_t n;

		(void)ring_push(ring[0], "ping", 4, NULL, 0);
		ring_flush(ring[0]);
		while (!lost && !ring_peek(ring[1], &n))
			lost = !await(ring[1]);
		if (!lost)
			ring_pop(ring[1]);
	}
	assert_int_equal(pthread_join(other, NULL), 0);
	assert_false(lost);
	ring_free(ring[0]);
	ring_free(ring[1]);
}

/*
 * The one race of the protocol, again and again: the reader goes to sleep in the moment in which the
 * writer publishes. Both spin to the start of a round and dawdle a little, so that all the orders of
 * their steps come about, if they really run at the same time.
 */
enum { MEETINGS = 30000 };

struct meeting {
	struct ring *ring;
	atomic_int arrived;
};

/* Returns when the other has come here as often. */
static void meet(struct meeting *m, int times)
{
	atomic_fetch_add(&m->arrived, 1);
	for (int spins = 1; atomic_load(&m->arrived) < 2 * times; spins++)
		if (spins % 1000 == 0)
			(void)sched_yield();
}

static void dawdle(uint64_t *seed)
{
	for (volatile uint64_t left = chance(seed, 64); left > 0; left--)
		;
}

static void *write_at_meetings(void *arg)
{
	struct meeting *m = arg;
	uint64_t seed = 1;

	for (int i = 0; i < MEETINGS; i++) {
		meet(m, 2 * i + 1);
		dawdle(&seed);
		(void)ring_push(m->ring, "x", 1, NULL, 0);
		ring_flush(m->ring);
		meet(m, 2 * i + 2);
	}
	return NULL;
}

static void who_falls_asleep_while_mail_comes_is_woken(void **state)
{
	struct meeting m = { .ring = make(64) };
	pthread_t writer;
	uint64_t seed = 2;
	int lost = 0;

	(void)state;
	assert_int_equal(pthread_create(&writer, NULL, write_at_meetings, &m), 0);
	for (int i = 0; i < MEETINGS; i++) {
		size_t n;

		meet(&m, 2 * i + 1);
		dawdle(&seed);
		bool sleeps = ring_sleep(m.ring);
		meet(&m, 2 * i + 2);
		lost += sleeps && !is_readable(m.ring);
		ring_awake(m.ring);
		lost += is_readable(m.ring);
		if (ring_peek(m.ring, &n))
			ring_pop(m.ring);
	}
	assert_int_equal(pthread_join(writer, NULL), 0);
	assert_int_equal(lost, 0);
	ring_free(m.ring);
}

static void a_ring_is_made(void)
{
	CLEANUP(ring_free) struct ring *r = NULL;

	if (!oom_refused(ring_create(&r, 100)))
		assert_true(ring_push(r, "a", 1, NULL, 0));
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_ring_is_made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_arrive_whole_and_in_order),
		cmocka_unit_test(the_producer_knows_what_was_popped),
		cmocka_unit_test(records_are_aligned_for_structs),
		cmocka_unit_test(absurd_sizes_are_refused),
		cmocka_unit_test(a_full_ring_stores_nothing),
		cmocka_unit_test(random_sizes_go_round_the_ring_unharmed),
		cmocka_unit_test(room_is_kept_for_as_many_records_as_promised),
		cmocka_unit_test(only_a_sleeping_reader_is_woken),
		cmocka_unit_test(a_reader_that_woke_for_something_else_is_left_alone),
		cmocka_unit_test(two_threads_lose_neither_mail_nor_wake_up),
		cmocka_unit_test(ping_and_pong_never_wait_for_each_other),
		cmocka_unit_test(who_falls_asleep_while_mail_comes_is_woken),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
