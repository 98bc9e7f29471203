#include "console/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
	int64_t value, max;
	int rows, height;
} bars[] = {
	{ 0, 10, 5, 0 },  { 10, 10, 5, 5 },           { 5, 10, 4, 2 }, { 1, 1000000, 5, 1 },
	{ -3, 10, 5, 0 }, { 1000000, 1000000, 6, 6 }, { 1, 0, 5, 0 },  { 7, 10, 1, 1 },
};

static void a_bar_is_as_high_as_its_share_and_never_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bars) / sizeof(bars[0]); i++)
		assert_int_equal(history_bar(bars[i].value, bars[i].max, bars[i].rows),
				 bars[i].height);
}

static void the_oldest_samples_are_forgotten(void **state)
{
	struct history h = { 0 };

	(void)state;
	assert_int_equal(history_max(&h, HISTORY), 0);
	history_add(&h, 99);
	for (int i = 0; i < HISTORY - 1; i++)
		history_add(&h, i);
	assert_int_equal(history_max(&h, HISTORY), HISTORY - 2 > 99 ? HISTORY - 2 : 99);
	assert_int_equal(history_max(&h, 1), HISTORY - 2);
	history_add(&h, 0);
	assert_int_equal(history_max(&h, HISTORY), HISTORY - 2);
	assert_int_equal(history_max(&h, 1), 0);
	assert_int_equal(history_max(&h, 1000000), HISTORY - 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bar_is_as_high_as_its_share_and_never_nothing),
		cmocka_unit_test(the_oldest_samples_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
