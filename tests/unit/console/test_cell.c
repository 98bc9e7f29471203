#include "console/cell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void what_is_no_text_reads_as_none(void **state)
{
	json_t *row = json_pack("{s:s s:i s:n}", "id", "a", "calls", 7, "memo");

	(void)state;
	if (!row)
		return;
	assert_string_equal(cell_text(row, "id", "-"), "a");
	assert_string_equal(cell_text(row, "calls", "-"), "-");
	assert_string_equal(cell_text(row, "memo", "-"), "-");
	assert_string_equal(cell_text(row, "nobody", "-"), "-");
	assert_string_equal(cell_text(NULL, "id", "-"), "-");
	assert_true(cell_says(row, "id", "a"));
	assert_false(cell_says(row, "calls", "7"));
	json_decref(row);
}

static void any_status_but_normal_stands_out(void **state)
{
	static const struct {
		const char *status;
		enum role role;
	} cases[] = { { "normal", ROLE_PLAIN },
		      { "locked", ROLE_WARN },
		      { "no_incoming", ROLE_WARN } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		json_t *row = json_pack("{s:s}", "status", cases[i].status);

		if (!row)
			return;
		assert_int_equal(cell_look_status(row), cases[i].role);
		json_decref(row);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_text_reads_as_none),
		cmocka_unit_test(any_status_but_normal_stands_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
