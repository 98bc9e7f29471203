#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dice.h"
#include "number/inuse.h"
#include "oom.h"

static struct inuse *make(void)
{
	struct inuse *u = NULL;

	assert_int_equal(inuse_create(&u), 0);
	return u;
}

static void never_more_than_the_limit(void **state)
{
	CLEANUP(inuse_free) struct inuse *u = make();

	(void)state;
	assert_true(inuse_take(u, 7, 2));
	assert_true(inuse_take(u, 7, 2));
	assert_false(inuse_take(u, 7, 2));
	assert_true(inuse_take(u, 7, 3));
	assert_true(inuse_take(u, 8, 1));
	assert_int_equal(inuse_count(u, 7), 3);
	inuse_give(u, 7);
	inuse_give(u, 7);
	assert_true(inuse_take(u, 7, 2));
	assert_false(inuse_take(u, 7, 2));
	/* what was never taken cannot be given */
	inuse_give(u, 9);
	assert_int_equal(inuse_count(u, 9), 0);
}

/* Keys that share a set: the ninth is refused until one is given back. */
static void a_full_set_refuses(void **state)
{
	CLEANUP(inuse_free) struct inuse *u = make();

	(void)state;
	for (uint64_t i = 1; i <= 8; i++)
		assert_true(inuse_take(u, i << 32, 5));
	assert_false(inuse_take(u, UINT64_C(9) << 32, 5));
	assert_true(inuse_take(u, UINT64_C(8) << 32, 5));
	inuse_give(u, UINT64_C(3) << 32);
	assert_true(inuse_take(u, UINT64_C(9) << 32, 5));
	assert_int_equal(inuse_count(u, UINT64_C(3) << 32), 0);
}

/* Random takes and gives against counts of our own. */
static void counts_are_right(void **state)
{
	enum { KEYS = 40, STEPS = 100000 };
	CLEANUP(inuse_free) struct inuse *u = make();
	struct dice d = dice_new();
	uint64_t key[KEYS];
	uint32_t count[KEYS] = { 0 };

	(void)state;
	for (int i = 0; i < KEYS; i++)
		key[i] = dice_u64(&d);
	for (int step = 0; step < STEPS; step++) {
		int i = (int)dice_in(&d, 0, KEYS - 1);
		uint32_t limit = (uint32_t)dice_in(&d, 1, 6);

		if (count[i] > 0 && dice_one_in(&d, 2)) {
			inuse_give(u, key[i]);
			count[i]--;
		} else {
			bool taken = inuse_take(u, key[i], limit);

			assert_int_equal(taken, count[i] < limit);
			count[i] += taken;
		}
		assert_int_equal(inuse_count(u, key[i]), count[i]);
	}
}

struct crowd {
	struct inuse *u;
	_Atomic int now, most;
};

static void *take_and_give(void *arg)
{
	struct crowd *c = arg;

	for (int i = 0; i < 50000; i++) {
		if (!inuse_take(c->u, 42, 3))
			continue;

		int now = atomic_fetch_add(&c->now, 1) + 1, most = atomic_load(&c->most);

		while (now > most && !atomic_compare_exchange_weak(&c->most, &most, now))
			;
		atomic_fetch_sub(&c->now, 1);
		inuse_give(c->u, 42);
	}
	return NULL;
}

static void threads_never_pass_the_limit(void **state)
{
	enum { THREADS = 6 };
	struct crowd c = { .u = make() };
	pthread_t thread[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, take_and_give, &c), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	assert_in_range(atomic_load(&c.most), 1, 3);
	assert_int_equal(inuse_count(c.u, 42), 0);
	inuse_free(c.u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_more_than_the_limit),
		cmocka_unit_test(a_full_set_refuses),
		cmocka_unit_test(counts_are_right),
		cmocka_unit_test(threads_never_pass_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
