#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "number/lengths.h"

#define BIT(n) (UINT64_C(1) << (n))

static uint64_t parse(const char *list)
{
	struct err err = ERR_INIT;
	uint64_t got = 1;

	assert_int_equal(lengths_parse(str_of(list), "callee_lengths", &got, &err), 0);
	assert_false(err_is_set(&err));
	return got;
}

static void lists_and_ranges(void **state)
{
	(void)state;
	assert_int_equal(parse(""), 0);
	assert_int_equal(parse("0"), BIT(0));
	assert_int_equal(parse("8,10-13"), BIT(8) | BIT(10) | BIT(11) | BIT(12) | BIT(13));
	assert_int_equal(parse(" 7 , 7 - 8 "), BIT(7) | BIT(8));
	assert_int_equal(parse("0-40"), BIT(41) - 1);
}

static void what_is_no_length_is_refused(void **state)
{
	static const char *const bad[] = { "x",
					   "41",
					   "9-7",
					   "-3",
					   "3-",
					   "-",
					   "1.5",
					   "5,,6",
					   "1-2-3",
					   "+1",
					   "99999999999999999999" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = ERR_INIT;
		uint64_t unused;

		assert_int_equal(lengths_parse(str_of(bad[i]), "callee_lengths", &unused, &err),
				 -EINVAL);
		assert_string_equal(err.field, "callee_lengths");
		assert_true(err.message[0] && err.accepted[0]);
	}
}

static void none_named_allows_all(void **state)
{
	(void)state;
	assert_true(lengths_allow(0, 0));
	assert_true(lengths_allow(0, 1000));
	assert_true(lengths_allow(parse("8,40"), 40));
	assert_false(lengths_allow(parse("8,40"), 9));
	assert_false(lengths_allow(parse("0-40"), 41));
	assert_false(lengths_allow(parse("0-40"), 64)); /* a shift by all bits is none */
	assert_false(lengths_allow(parse("8"), 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_and_ranges),
		cmocka_unit_test(what_is_no_length_is_refused),
		cmocka_unit_test(none_named_allows_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
