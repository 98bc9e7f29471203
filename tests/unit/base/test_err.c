#include "base/err.h"

#include <errno.h>

#include "unit.h"

static void an_error_tells_field_value_and_remedy(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_false(err_is_set(&e));
	assert_int_equal(err_set(&e, ERR_BAD_VALUE, "port", STR("70000"), "1 to 65535",
				 "%s is no port", "70000"),
			 -EINVAL);
	assert_true(err_is_set(&e));
	assert_int_equal(e.code, ERR_BAD_VALUE);
	assert_string_equal(e.field, "port");
	assert_string_equal(e.given, "70000");
	assert_string_equal(e.accepted, "1 to 65535");
	assert_string_equal(e.message, "70000 is no port");
}

static void the_first_error_wins(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	(void)err_set(&e, ERR_NOT_FOUND, "name", STR("x"), NULL, "first");
	assert_int_equal(err_set(&e, ERR_INTERNAL, "", STR(""), "y", "second"), -EINVAL);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_string_equal(e.message, "first");
	assert_string_equal(e.accepted, "");
}

static void who_does_not_ask_is_not_told(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_USAGE, NULL, STR(""), NULL, "x"), -EINVAL);
}

static void hostile_values_are_made_printable_and_cut(void **state)
{
	struct err e = ERR_INIT;
	char given[300], text[400];

	(void)state;
	for (size_t i = 0; i < sizeof(given); i += 3)
		memcpy(given + i, "\xe2\x82\xac", 3);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = 0;
	(void)err_set(&e, ERR_BAD_VALUE, text, str_n(given, sizeof(given)), text, "%s", text);
	assert_int_equal(strlen(e.field), sizeof(e.field) - 1);
	assert_int_equal(strlen(e.given), 126); /* 42 whole characters */
	assert_int_equal(strlen(e.message), sizeof(e.message) - 1);

	e = ERR_INIT;
	(void)err_set(&e, ERR_BAD_VALUE, "f", STR("a\x1b[2J\0\xff"), NULL, "bad\n%s", "\x9b");
	assert_string_equal(e.given, "a?[2J??");
	assert_string_equal(e.message, "bad??");
}

static void codes_have_stable_names(void **state)
{
	(void)state;
	assert_string_equal(err_code_name(ERR_NONE), "none");
	assert_string_equal(err_code_name(ERR_UNKNOWN_OPERATION), "unknown_operation");
	assert_string_equal(err_code_name(ERR_STORE), "store_unavailable");
	assert_string_equal(err_code_name(ERR_INTERNAL), "internal");
	assert_string_equal(err_code_name(ERR_COUNT), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_tells_field_value_and_remedy),
		cmocka_unit_test(the_first_error_wins),
		cmocka_unit_test(who_does_not_ask_is_not_told),
		cmocka_unit_test(hostile_values_are_made_printable_and_cut),
		cmocka_unit_test(codes_have_stable_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
