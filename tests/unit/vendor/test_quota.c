#include "vendor/quota.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void each_limit_is_named_and_another_day_begins_at_nothing(void **state)
{
	const struct quota_limit none = { 0 }, calls = { .calls = 2 }, minutes = { .minutes = 3 },
				 money = { .money = 500 };
	struct quota q = { .day = 0 };

	(void)state;
	quota_add(&q, 10, 1, 0, 0);
	quota_add(&q, 10, 1, 0, 0);
	quota_add(&q, 10, 0, 179999, 499);
	assert_string_equal(quota_used_up(&q, 10, &calls), "day_calls");
	assert_null(quota_used_up(&q, 10, &minutes));
	assert_null(quota_used_up(&q, 10, &money));
	quota_add(&q, 10, 0, 1, 1);
	assert_string_equal(quota_used_up(&q, 10, &minutes), "day_minutes");
	assert_string_equal(quota_used_up(&q, 10, &money), "day_money");
	assert_null(quota_used_up(&q, 10, &none));
	assert_null(quota_used_up(&q, 11, &calls));
	quota_add(&q, 11, 1, 0, 0);
	assert_null(quota_used_up(&q, 11, &calls));
	assert_null(quota_used_up(&q, 11, &money));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_limit_is_named_and_another_day_begins_at_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
