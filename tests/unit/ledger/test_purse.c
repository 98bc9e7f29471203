/* A purse never gives more than it has, however many ask at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "ledger/purse.h"

static void a_hold_is_what_was_wanted_or_what_there_is(void **state)
{
	static const struct {
		money_t free, floor, need, want, held;
		bool is_given;
	} cases[] = {
		{ 1000, 0, 10, 100, 100, true }, { 50, 0, 10, 100, 50, true },
		{ 9, 0, 10, 100, 0, false },     { 10, 0, 10, 100, 10, true },
		{ -20, -50, 10, 20, 20, true },  { -45, -50, 10, 20, 0, false },
		{ 0, 0, 0, 0, 0, true },         { -1, 0, 0, 0, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct purse p = { .free = cases[i].free };
		money_t held = 0, available;
		bool r = purse_reserve(&p, cases[i].floor, cases[i].need, cases[i].want, &held,
				       &available);

		assert_int_equal(r, cases[i].is_given);
		assert_int_equal(held, cases[i].held);
		assert_int_equal(available, cases[i].free - cases[i].floor);
		assert_int_equal(atomic_load(&p.free), cases[i].free - held);
	}
}

static void a_settled_hold_comes_back_less_its_charge(void **state)
{
	struct purse p = { .free = 900 };

	(void)state;
	purse_settle(&p, 100, 30);
	assert_int_equal(atomic_load(&p.free), 970);
}

static void lines_are_counted_to_their_limit(void **state)
{
	struct purse p = { 0 };

	(void)state;
	assert_true(purse_line_take(&p, 2));
	assert_true(purse_line_take(&p, 2));
	assert_false(purse_line_take(&p, 2));
	purse_line_give(&p);
	assert_true(purse_line_take(&p, 2));
	assert_true(purse_line_take(&p, 0));
}

enum { RACERS = 4, ROUNDS = 20000 };

static struct purse race_purse;

static void *race(void *arg)
{
	money_t *charged = arg;

	for (int i = 0; i < ROUNDS; i++) {
		money_t held, available;

		if (!purse_reserve(&race_purse, -500, 3, 10, &held, &available))
			continue;
		assert_true(held >= 3 && held <= 10);
		purse_settle(&race_purse, held, held / 3);
		*charged += held / 3;
	}
	return NULL;
}

static void racing_calls_never_pass_the_floor(void **state)
{
	pthread_t thread[RACERS];
	money_t charged[RACERS] = { 0 }, sum = 0;

	(void)state;
	atomic_store(&race_purse.free, 1000);
	for (int i = 0; i < RACERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, race, &charged[i]), 0);
	for (int i = 0; i < RACERS; i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
		sum += charged[i];
	}
	assert_int_equal(atomic_load(&race_purse.free), 1000 - sum);
	assert_true(atomic_load(&race_purse.free) >= -500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hold_is_what_was_wanted_or_what_there_is),
		cmocka_unit_test(a_settled_hold_comes_back_less_its_charge),
		cmocka_unit_test(lines_are_counted_to_their_limit),
		cmocka_unit_test(racing_calls_never_pass_the_floor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
