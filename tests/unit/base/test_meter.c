#include "base/meter.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "oom.h"
#include "unit.h"

static struct meter *make(uint32_t limit)
{
	struct meter *m = NULL;

	assert_int_equal(meter_create(&m, limit), 0);
	assert_int_equal(meter_limit(m), limit);
	return m;
}

static void absurd_limits_are_refused(void **state)
{
	struct meter *m = NULL;

	(void)state;
	assert_int_equal(meter_create(&m, 0), -EINVAL);
	assert_int_equal(meter_create(&m, 1000001), -EINVAL);
	assert_int_equal(meter_create(&m, UINT32_MAX), -EINVAL);
	assert_null(m);
	assert_null(meter_free(NULL));
}

static void a_second_holds_no_more_than_the_limit(void **state)
{
	CLEANUP(meter_free) struct meter *m = make(3);

	(void)state;
	assert_int_equal(meter_count(m, 0), 0);
	assert_true(meter_take(m, 0));
	assert_true(meter_take(m, 500));
	assert_true(meter_take(m, 999));
	assert_int_equal(meter_count(m, 999), 3);
	assert_false(meter_take(m, 999));
	assert_true(meter_take(m, 1000)); /* the first is a second old */
	assert_false(meter_take(m, 1499));
	assert_true(meter_take(m, 1500));
	assert_false(meter_take(m, 1500));
	assert_int_equal(meter_count(m, 1500), 3);
	assert_int_equal(meter_count(m, 1999), 2);
	assert_int_equal(meter_count(m, 2499), 1);
	assert_int_equal(meter_count(m, 2500), 0);
}

static void a_limit_of_one_is_one_a_second(void **state)
{
	CLEANUP(meter_free) struct meter *m = make(1);
	int taken = 0;

	(void)state;
	for (int64_t now = 0; now < 10000; now++)
		taken += meter_take(m, now);
	assert_int_equal(taken, 10);
}

static void a_clock_that_steps_back_admits_nothing_more(void **state)
{
	CLEANUP(meter_free) struct meter *m = make(2);

	(void)state;
	assert_true(meter_take(m, 5000));
	assert_true(meter_take(m, 5000));
	assert_false(meter_take(m, 1000));
	assert_true(meter_take(m, 6000));
}

/* All admitted times; the last second holds those later than now - 1000. */
static void every_sliding_second_agrees_with_a_list(void **state)
{
	enum { EVENTS = 20000 };
	static int64_t admitted[EVENTS];

	(void)state;
	for (uint32_t limit = 1; limit <= 300; limit = limit * 3 + 1) {
		CLEANUP(meter_free) struct meter *m = make(limit);
		uint64_t seed = limit;
		int64_t now = 0;
		size_t n = 0, oldest = 0;

		for (int i = 0; i < EVENTS; i++) {
			/* Bursts, a load around the limit, and pauses. */
			uint64_t kind = chance(&seed, 100);
			now += kind < 50 ? 0 : kind < 99 ? chance(&seed, 4000 / limit + 1) : 1500;
			while (oldest < n && admitted[oldest] <= now - 1000)
				oldest++;

			bool fits = n - oldest < limit;
			assert_int_equal(meter_count(m, now), n - oldest);
			assert_int_equal(meter_take(m, now), fits);
			if (fits)
				admitted[n++] = now;
		}
		assert_true(n > limit && n < EVENTS);
	}
}

/*
 * Threads share one clock, which one of them moves. Each notes how many it was given in each
 * millisecond; afterwards no second may hold more than the limit, and full seconds hold all of it.
 */
enum { THREADS = 4, LIMIT = 50, TIME_MS = 5000 };

struct crowd {
	struct meter *meter;
	_Atomic int64_t now_ms;
	atomic_int given[TIME_MS];
	pthread_barrier_t start;
};

static void *push_in(void *arg)
{
	struct crowd *c = arg;
	int64_t now;

	while ((now = atomic_load(&c->now_ms)) < TIME_MS)
		if (meter_take(c->meter, now))
			atomic_fetch_add(&c->given[now], 1);
	return NULL;
}

static void threads_together_get_exactly_the_limit(void **state)
{
	static struct crowd c;
	pthread_t thread[THREADS];
	int sum = 0, most = 0, all = 0;

	(void)state;
	c.meter = make(LIMIT);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, push_in, &c), 0);
	for (int64_t now = 0; now <= TIME_MS; now++) {
		atomic_store(&c.now_ms, now);
		for (int i = 0; i < 200; i++) /* some time for the others */
			if (now < TIME_MS && meter_take(c.meter, now))
				atomic_fetch_add(&c.given[now], 1);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);

	for (int now = 0; now < TIME_MS; now++) {
		sum += c.given[now] - (now >= 1000 ? c.given[now - 1000] : 0);
		most = sum > most ? sum : most;
		all += c.given[now];
	}
	assert_int_equal(most, LIMIT);
	assert_in_range(all, LIMIT * TIME_MS / 1000 * 9 / 10, LIMIT * TIME_MS / 1000);
	meter_free(c.meter);
}

/* As many takes as the limit, all in one millisecond: each must be granted, to whichever thread. */
enum { SHARE = 50, ROUNDS = 4000 };

static void *take_a_share(void *arg)
{
	struct crowd *c = arg;
	intptr_t refused = 0;

	for (int64_t round = 0; round < ROUNDS; round++) {
		(void)pthread_barrier_wait(&c->start);
		for (int i = 0; i < SHARE; i++)
			refused += !meter_take(c->meter, round * 1000);
	}
	return (void *)refused;
}

static void nobody_is_refused_while_there_is_room(void **state)
{
	static struct crowd c;
	pthread_t thread[THREADS];
	void *refused[THREADS];

	(void)state;
	c.meter = make(THREADS * SHARE);
	assert_int_equal(pthread_barrier_init(&c.start, NULL, THREADS), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, take_a_share, &c), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(thread[i], &refused[i]), 0);
	for (int i = 0; i < THREADS; i++)
		assert_null(refused[i]);
	assert_int_equal(meter_count(c.meter, (ROUNDS - 1) * 1000), THREADS * SHARE);
	(void)pthread_barrier_destroy(&c.start);
	meter_free(c.meter);
}

static void a_meter_is_made(void)
{
	CLEANUP(meter_free) struct meter *m = NULL;

	if (!oom_refused(meter_create(&m, 10)))
		assert_true(meter_take(m, 0));
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_meter_is_made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absurd_limits_are_refused),
		cmocka_unit_test(a_second_holds_no_more_than_the_limit),
		cmocka_unit_test(a_limit_of_one_is_one_a_second),
		cmocka_unit_test(a_clock_that_steps_back_admits_nothing_more),
		cmocka_unit_test(every_sliding_second_agrees_with_a_list),
		cmocka_unit_test(threads_together_get_exactly_the_limit),
		cmocka_unit_test(nobody_is_refused_while_there_is_room),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
