#include "vendor/hold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { LIMIT = 3, PAUSE = 5000 };

static void a_vendor_is_held_as_long_as_it_asked_but_no_longer_than_a_minute(void **state)
{
	struct holds h = { 0 };
	uint64_t a = hold_key(STR("880")), b = hold_key(STR("881"));

	(void)state;
	assert_int_equal(hold_left(&h, a, 1000), 0);
	hold_asked(&h, a, 7, 1000);
	assert_int_equal(hold_left(&h, a, 1000), 7000);
	assert_int_equal(hold_left(&h, b, 1000), 0);
	assert_int_equal(holds_longest(&h, 3000), 5000);
	hold_asked(&h, a, 3, 1000);
	assert_int_equal(hold_left(&h, a, 1000), 7000);
	hold_asked(&h, b, INT64_MAX, 1000);
	assert_int_equal(hold_left(&h, b, 1000), 60000);
	assert_int_equal(hold_left(&h, a, 8000), 0);
	hold_asked(&h, hold_key(STR("")), 0, 9000);
	assert_int_equal(hold_left(&h, hold_key(STR("")), 9000), 0);
}

static void failures_in_a_row_open_it_and_one_call_tries_afterwards(void **state)
{
	struct holds h = { 0 };
	uint64_t key = hold_key(STR("880"));

	(void)state;
	hold_failed(&h, key, LIMIT, PAUSE, 1);
	hold_failed(&h, key, LIMIT, PAUSE, 2);
	hold_worked(&h, key);
	for (int i = 0; i < LIMIT; i++) {
		assert_int_equal(hold_left(&h, key, 10), 0);
		assert_true(hold_take_trial(&h, key, LIMIT, 10));
		hold_failed(&h, key, LIMIT, PAUSE, 10);
	}
	assert_int_equal(hold_left(&h, key, 10), PAUSE);

	ms_t now = 10 + PAUSE;

	assert_int_equal(hold_left(&h, key, now), 0);
	assert_true(hold_take_trial(&h, key, LIMIT, now));
	assert_false(hold_take_trial(&h, key, LIMIT, now + 1));
	hold_failed(&h, key, LIMIT, PAUSE, now + 2);
	assert_int_equal(hold_left(&h, key, now + 2), PAUSE);

	now += 2 + PAUSE;
	assert_true(hold_take_trial(&h, key, LIMIT, now));
	hold_untold(&h, key);
	assert_true(hold_take_trial(&h, key, LIMIT, now));
	hold_worked(&h, key);
	assert_true(hold_take_trial(&h, key, LIMIT, now));
	assert_true(hold_take_trial(&h, key, LIMIT, now));
}

static void a_trial_that_is_lost_is_made_again(void **state)
{
	struct holds h = { 0 };
	uint64_t key = hold_key(STR("880"));

	(void)state;
	hold_failed(&h, key, 1, PAUSE, 1);
	assert_true(hold_take_trial(&h, key, 1, 1 + PAUSE));
	assert_false(hold_take_trial(&h, key, 1, PAUSE + HOLD_TRIAL_MS));
	assert_true(hold_take_trial(&h, key, 1, 1 + PAUSE + HOLD_TRIAL_MS));
	assert_true(hold_take_trial(&h, key, 0, 1 + PAUSE + HOLD_TRIAL_MS));
}

static void there_is_room_for_so_many_prefixes_and_old_ones_give_way(void **state)
{
	struct holds h = { 0 };
	char digit[2] = { 'a', 0 };

	(void)state;
	for (int i = 0; i <= HOLDS; i++, digit[0]++)
		hold_asked(&h, hold_key(str_of(digit)), 10, 1000);
	assert_int_equal(hold_left(&h, hold_key(STR("a")), 1000), 10000);
	assert_int_equal(hold_left(&h, hold_key(STR("q")), 1000), 0);
	hold_asked(&h, hold_key(STR("q")), 10, 11000);
	assert_int_equal(hold_left(&h, hold_key(STR("q")), 11000), 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vendor_is_held_as_long_as_it_asked_but_no_longer_than_a_minute),
		cmocka_unit_test(failures_in_a_row_open_it_and_one_call_tries_afterwards),
		cmocka_unit_test(a_trial_that_is_lost_is_made_again),
		cmocka_unit_test(there_is_room_for_so_many_prefixes_and_old_ones_give_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
