#include "model/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_reason_is_found_by_the_name_in_its_cdr(void **state)
{
	(void)state;
	for (int r = REASON_NONE + 1; r < REASON_COUNT; r++) {
		assert_int_equal(reason_find(str_of(reason_name((enum reason)r))), r);
		assert_true(reason_infos[r].text[0] != '\0');
	}
	assert_int_equal(reason_find(STR("NoRate")), REASON_NO_RATE);
	assert_int_equal(reason_find(STR("norate")), REASON_NONE);
	assert_int_equal(reason_find(STR("")), REASON_NONE);
	assert_string_equal(reason_name(REASON_NONE), "");
}

static void a_reason_knows_its_codes_and_whether_another_vendor_is_tried(void **state)
{
	(void)state;
	assert_int_equal(reason_sip_code(REASON_CUSTOMER_BALANCE_NOT_ENOUGH), 403);
	assert_int_equal(reason_infos[REASON_CUSTOMER_BALANCE_NOT_ENOUGH].q850, 21);
	assert_int_equal(reason_sip_code(REASON_REJECTED), 0);
	assert_int_equal(reason_infos[REASON_USER_BUSY].failover, FAILOVER_BY_CODE);
	assert_int_equal(reason_infos[REASON_UPSTREAM_FAILURE].failover, FAILOVER_NEXT);
	assert_int_equal(reason_infos[REASON_NO_RATE].failover, FAILOVER_NO);
}

static void every_code_has_a_phrase(void **state)
{
	(void)state;
	assert_string_equal(sip_phrase(100), "Trying");
	assert_string_equal(sip_phrase(487), "Request Terminated");
	assert_string_equal(sip_phrase(608), "Rejected");
	assert_string_equal(sip_phrase(199), "Early Dialog Terminated");
	assert_string_equal(sip_phrase(499), "Client Error");
	assert_string_equal(sip_phrase(699), "Global Failure");
	assert_string_equal(sip_phrase(99), "Unknown");
	assert_string_equal(sip_phrase(700), "Unknown");
	assert_string_equal(sip_phrase(-1), "Unknown");
	for (int r = REASON_NONE + 1; r < REASON_COUNT; r++)
		assert_true(sip_phrase(reason_infos[r].sip_code)[0] != '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reason_is_found_by_the_name_in_its_cdr),
		cmocka_unit_test(a_reason_knows_its_codes_and_whether_another_vendor_is_tried),
		cmocka_unit_test(every_code_has_a_phrase),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
