#include "ops/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void it_counts_until_an_hour_was_quiet(void **state)
{
	struct tally t = { 0 };

	(void)state;
	assert_int_equal(tally_look(&t, 0, 1), 0);
	assert_int_equal(tally_look(&t, 3, 1000), 3);
	assert_int_equal(tally_look(&t, 4, 2000), 4);
	assert_int_equal(tally_look(&t, 4, 2000 + TALLY_QUIET_MS - 1), 4);
	assert_int_equal(tally_look(&t, 4, 2000 + TALLY_QUIET_MS), 0);
	assert_int_equal(tally_look(&t, 5, 9 * (int64_t)TALLY_QUIET_MS), 1);
}

static void what_was_seen_to_is_over_and_the_next_one_counts_from_one(void **state)
{
	struct tally t = { 0 };

	(void)state;
	assert_int_equal(tally_look(&t, 7, 1), 7);
	tally_end(&t);
	assert_int_equal(tally_look(&t, 7, 2), 0);
	assert_int_equal(tally_look(&t, 8, 3), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_counts_until_an_hour_was_quiet),
		cmocka_unit_test(what_was_seen_to_is_over_and_the_next_one_counts_from_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
