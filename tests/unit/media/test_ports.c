/* Port pairs: even, random, at rest after use, never given twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

#include "media/ports.h"

static void every_pair_of_the_range_is_given_once(void **state)
{
	CLEANUP(ports_free) struct ports *p = NULL;
	bool seen[200] = { false };

	(void)state;
	if (ports_create(&p) < 0)
		return;
	ports_set(p, 20000, 20199);
	for (int i = 0; i < 100; i++) {
		uint16_t port = ports_take(p, 1);

		assert_in_range(port, 20000, 20198);
		assert_int_equal(port % 2, 0);
		assert_false(seen[port - 20000]);
		seen[port - 20000] = true;
	}
	assert_int_equal(ports_take(p, 1), 0);
}

static void an_odd_range_keeps_whole_pairs_only(void **state)
{
	CLEANUP(ports_free) struct ports *p = NULL;

	(void)state;
	if (ports_create(&p) < 0)
		return;
	ports_set(p, 20001, 20004);
	assert_int_equal(ports_take(p, 1), 20002);
	assert_int_equal(ports_take(p, 1), 0);
}

static void a_pair_rests_ten_seconds(void **state)
{
	CLEANUP(ports_free) struct ports *p = NULL;

	(void)state;
	if (ports_create(&p) < 0)
		return;
	ports_set(p, 20000, 20001);
	assert_int_equal(ports_take(p, 1000), 20000);
	ports_give(p, 20000, 2000);
	assert_int_equal(ports_take(p, 2000 + PORTS_REST_MS - 1), 0);
	assert_int_equal(ports_take(p, 2000 + PORTS_REST_MS), 20000);
}

static void a_range_without_a_pair_gives_nothing(void **state)
{
	static const uint16_t ranges[][2] = {
		{ 20000, 20000 }, { 20001, 20002 }, { 30000, 20000 },
		{ 0, 0 },         { 0, 1 },         { 65535, 65535 }
	};
	CLEANUP(ports_free) struct ports *p = NULL;

	(void)state;
	if (ports_create(&p) < 0)
		return;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		ports_set(p, ranges[i][0], ranges[i][1]);
		assert_int_equal(ports_take(p, 1), 0);
	}
}

static void the_ends_of_all_ports_are_pairs_but_zero(void **state)
{
	CLEANUP(ports_free) struct ports *p = NULL;

	(void)state;
	if (ports_create(&p) < 0)
		return;
	ports_set(p, 0, 3);
	assert_int_equal(ports_take(p, 1), 2);
	assert_int_equal(ports_take(p, 1), 0);
	ports_set(p, 65534, 65535);
	assert_int_equal(ports_take(p, 1), 65534);
	ports_set(p, 0, 65535);
	for (int i = 0; i < 32765; i++)
		assert_int_not_equal(ports_take(p, 1), 0);
	assert_int_equal(ports_take(p, 1), 0);
}

static void a_changed_range_counts_from_then_on(void **state)
{
	CLEANUP(ports_free) struct ports *p = NULL;

	(void)state;
	if (ports_create(&p) < 0)
		return;
	ports_set(p, 20000, 20001);
	assert_int_equal(ports_take(p, 1), 20000);
	ports_set(p, 30000, 30001);
	assert_int_equal(ports_take(p, 1), 30000);
	ports_give(p, 20000, 1); /* a call of the range before ends */
	assert_int_equal(ports_take(p, 1 + PORTS_REST_MS), 0);
	ports_set(p, 20000, 20003); /* what overlaps is still in use, or rests */
	ports_give(p, 30000, 2);
	assert_int_equal(ports_take(p, 2), 20002);
	assert_int_equal(ports_take(p, 2), 0);
	assert_int_equal(ports_take(p, 1 + PORTS_REST_MS), 20000);
}

/* A guess that is better than chance would be an attacker's (security.md M4). */
static void the_order_is_not_foreseen(void **state)
{
	CLEANUP(ports_free) struct ports *p = NULL;
	int next = 0;
	uint16_t last = 0;

	(void)state;
	if (ports_create(&p) < 0)
		return;
	for (int i = 0; i < 1000; i++) {
		uint16_t port = ports_take(p, 1);

		next += port == last + 2;
		last = port;
	}
	assert_true(next < 20); /* one in five thousand, and a few more as the range fills */
}

static atomic_int taken[100];

static void *take_all(void *arg)
{
	uint16_t port;

	while ((port = ports_take(arg, 1)))
		atomic_fetch_add(&taken[(port - 20000) / 2], 1);
	return NULL;
}

static void two_threads_never_get_the_same(void **state)
{
	CLEANUP(ports_free) struct ports *p = NULL;
	pthread_t thread[2];

	(void)state;
	if (ports_create(&p) < 0)
		return;
	for (int i = 0; i < 100; i++)
		atomic_store(&taken[i], 0);
	ports_set(p, 20000, 20199);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, take_all, p), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(atomic_load(&taken[i]), 1);
}

static atomic_int in_use[8];
static atomic_bool was_shared;

/* What a thread holds nobody else holds, while pairs come and go. */
static void *take_and_give(void *arg)
{
	for (ms_t now = 1; now < 40000; now += 4) {
		uint16_t port = ports_take(arg, now);

		if (!port)
			continue;
		if (atomic_fetch_add(&in_use[(port - 20000) / 2], 1) != 0)
			atomic_store(&was_shared, true);
		atomic_fetch_sub(&in_use[(port - 20000) / 2], 1);
		ports_give(arg, port, now - PORTS_REST_MS);
	}
	return NULL;
}

static void a_pair_that_is_given_back_has_one_taker(void **state)
{
	CLEANUP(ports_free) struct ports *p = NULL;
	pthread_t thread[3];

	(void)state;
	if (ports_create(&p) < 0)
		return;
	ports_set(p, 20000, 20015);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, take_and_give, p), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	assert_false(atomic_load(&was_shared));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_of_the_range_is_given_once),
		cmocka_unit_test(an_odd_range_keeps_whole_pairs_only),
		cmocka_unit_test(a_pair_rests_ten_seconds),
		cmocka_unit_test(a_range_without_a_pair_gives_nothing),
		cmocka_unit_test(the_ends_of_all_ports_are_pairs_but_zero),
		cmocka_unit_test(a_changed_range_counts_from_then_on),
		cmocka_unit_test(the_order_is_not_foreseen),
		cmocka_unit_test(two_threads_never_get_the_same),
		cmocka_unit_test(a_pair_that_is_given_back_has_one_taker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
