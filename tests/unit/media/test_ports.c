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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_of_the_range_is_given_once),
		cmocka_unit_test(an_odd_range_keeps_whole_pairs_only),
		cmocka_unit_test(a_pair_rests_ten_seconds),
		cmocka_unit_test(two_threads_never_get_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
