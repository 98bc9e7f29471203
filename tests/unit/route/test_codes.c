#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "route/codes.h"

static struct codes made(const char *list)
{
	struct codes c;
	struct err err = { 0 };

	assert_int_equal(codes_parse(str_of(list), CODES_SIP, "failure_codes", &c, &err), 0);
	return c;
}

static void a_code_is_replaced_by_its_own_pair_else_by_that_of_all_others(void **state)
{
	(void)state;
	struct codes c = made("486:600, 0:480 ,503:0");

	assert_int_equal(codes_map(&c, 486), 600);
	assert_int_equal(codes_map(&c, 404), 480);
	assert_int_equal(codes_map(&c, 503), 503);
	c = made("486:600");
	assert_int_equal(codes_map(&c, 404), 404);
	c = made("0:0");
	assert_int_equal(codes_map(&c, 404), 404);
	c = made(NULL);
	assert_int_equal(codes_map(&c, 486), 486);
}

static void what_is_no_pair_of_codes_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "486",        "486:",    ":480",      "399:480",
					   "486:700",    "486:399", "486:401",   "486:407",
					   "486:420",    "486:423", "486:487",   "486:494",
					   "486:-1",     "a:480",   "486:480:1", "486:480,486:404",
					   "0:480,0:404" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct codes c = { .count = -1 };
		struct err err = { 0 };

		if (codes_parse(str_of(bad[i]), CODES_SIP, "failure_codes", &c, &err) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(c.count, -1);
		assert_string_equal(err.field, "failure_codes");
	}
}

static void a_list_has_an_end(void **state)
{
	(void)state;
	char room[CODES_MAX * 9];
	struct buf b = buf_fixed(room, sizeof(room));
	struct codes c;
	struct err err = { 0 };

	for (int i = 0; i < CODES_MAX; i++)
		buf_printf(&b, "%d:480,", 500 + i);
	assert_int_equal(codes_parse(buf_str(&b), CODES_SIP, "failure_codes", &c, &err), 0);
	assert_int_equal(codes_map(&c, 500 + CODES_MAX - 1), 480);
	buf_put(&b, STR("499:480"));
	assert_int_equal(buf_error(&b), 0);
	assert_true(codes_parse(buf_str(&b), CODES_SIP, "failure_codes", &c, &err) < 0);
}

static void causes_and_what_they_are_taken_for(void **state)
{
	static const char *const bad[] = { "128:503", "1:128", "34:200", "34:401", "34:699x" };
	struct codes c;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(codes_parse(STR("34:503,1:404,0:500"), CODES_CAUSE_TO_SIP, "f", &c, &err),
			 0);
	assert_int_equal(codes_map(&c, 34), 503);
	assert_int_equal(codes_map(&c, 17), 500);
	assert_int_equal(codes_parse(STR("34:41"), CODES_CAUSES, "f", &c, &err), 0);
	assert_int_equal(codes_map(&c, 34), 41);
	assert_int_equal(codes_map(&c, 17), 17);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(codes_parse(str_of(bad[i]), i == 1 ? CODES_CAUSES : CODES_CAUSE_TO_SIP,
					"f", &c, &err) < 0);
	assert_string_equal(err.field, "f");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_code_is_replaced_by_its_own_pair_else_by_that_of_all_others),
		cmocka_unit_test(what_is_no_pair_of_codes_is_refused),
		cmocka_unit_test(causes_and_what_they_are_taken_for),
		cmocka_unit_test(a_list_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
