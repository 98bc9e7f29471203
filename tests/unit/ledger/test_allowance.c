/* A package never gives more than it has, however many calls take at once, and only in its period. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "ledger/allowance.h"

static void whole_steps_are_taken_or_what_is_left(void **state)
{
	struct allowance a = { .step_s = 60, .left_s = 150, .left_money = 100 };

	(void)state;
	assert_int_equal(allowance_take_s(&a, 1), 60);
	assert_int_equal(allowance_take_s(&a, 61), 90);
	assert_int_equal(allowance_take_s(&a, 1), 0);
	assert_int_equal(allowance_take_money(&a, 70), 70);
	assert_int_equal(allowance_take_money(&a, 70), 30);
	assert_int_equal(allowance_take_money(&a, 70), 0);
	allowance_give(&a, 7, 8);
	assert_int_equal(allowance_take_s(&a, 60), 7);
	assert_int_equal(allowance_take_money(&a, 60), 8);
}

static void a_period_gives_in_its_time_only(void **state)
{
	struct allowance old = { .begins = 100, .ends = 200 };
	struct allowance now = { .begins = 200, .ends = 300, .older = &old };
	struct bundle b = { .newest = &now };

	(void)state;
	assert_null(bundle_at(&b, 99));
	assert_ptr_equal(bundle_at(&b, 100), &old);
	assert_ptr_equal(bundle_at(&b, 199), &old);
	assert_ptr_equal(bundle_at(&b, 200), &now);
	assert_null(bundle_at(&b, 300));
}

enum { THREADS = 4, ROUNDS = 20000, GRANTED = 1000 };

struct taker {
	pthread_t thread;
	struct allowance *from;
	int64_t held;
};

static void *take_and_give(void *ctx)
{
	struct taker *t = ctx;

	for (int i = 0; i < ROUNDS; i++) {
		t->held += allowance_take_s(t->from, 1 + i % 7);
		if (t->held > GRANTED)
			return NULL;
		if (i % 3 == 0) {
			allowance_give(t->from, t->held / 2, 0);
			t->held -= t->held / 2;
		}
	}
	return NULL;
}

static void what_is_held_and_what_is_left_is_what_was_granted(void **state)
{
	struct allowance a = { .step_s = 3, .left_s = GRANTED };
	struct taker t[THREADS] = { 0 };
	int64_t held = 0;

	(void)state;
	for (int i = 0; i < THREADS; i++) {
		t[i].from = &a;
		assert_int_equal(pthread_create(&t[i].thread, NULL, take_and_give, &t[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(t[i].thread, NULL), 0);
		assert_true(t[i].held >= 0 && t[i].held <= GRANTED);
		held += t[i].held;
	}
	assert_true(atomic_load(&a.left_s) >= 0);
	assert_int_equal(held + atomic_load(&a.left_s), GRANTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_steps_are_taken_or_what_is_left),
		cmocka_unit_test(a_period_gives_in_its_time_only),
		cmocka_unit_test(what_is_held_and_what_is_left_is_what_was_granted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
