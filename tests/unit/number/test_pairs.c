#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dice.h"
#include "number/pairs.h"
#include "oom.h"

static struct pairs *made(const char *const text[][2], int n)
{
	struct pairs *p;

	assert_int_equal(pairs_create(&p), 0);
	for (int i = 0; i < n; i++)
		assert_int_equal(pairs_add(p, str_of(text[i][0]), str_of(text[i][1])), 0);
	pairs_sort(p);
	return p;
}

static void whole_numbers_alone_are_found(void **state)
{
	static const char *const text[][2] = { { "88017", "1001" },
					       { "8801", "1002" },
					       { "4930", "1003" } };
	CLEANUP(pairs_free) struct pairs *p = made(text, 3);

	(void)state;
	assert_true(str_eq(pairs_find(p, STR("88017")), STR("1001")));
	assert_true(str_eq(pairs_find(p, STR("8801")), STR("1002")));
	assert_true(str_eq(pairs_find(p, STR("4930")), STR("1003")));
	assert_true(str_is_empty(pairs_find(p, STR("880"))));
	assert_true(str_is_empty(pairs_find(p, STR("880171"))));
	assert_true(str_is_empty(pairs_find(p, STR(""))));
	assert_true(str_is_empty(pairs_find(NULL, STR("4930"))));
}

/* A number that shares as many characters as the reach says is among the pairs just as the first one is. */
static void the_reach_decides(void **state)
{
	enum { PAIRS = 40, ROUNDS = 4000 };
	CLEANUP(pairs_free) struct pairs *p = NULL;
	char number[8], other[8];
	struct dice d = dice_new();

	(void)state;
	assert_int_equal(pairs_create(&p), 0);
	for (int i = 0; i < PAIRS; i++) {
		(void)snprintf(number, sizeof(number), "%d", (int)dice_in(&d, 1, 2000));
		assert_int_equal(pairs_add(p, str_of(number), STR("1")), 0);
	}
	pairs_sort(p);
	for (int i = 0; i < ROUNDS; i++) {
		(void)snprintf(number, sizeof(number), "%d", (int)dice_in(&d, 1, 2000));
		(void)snprintf(other, sizeof(other), "%d", (int)dice_in(&d, 1, 2000));
		size_t n = pairs_reach(p, str_of(number), 1), length = strlen(number);
		bool same =
			n <= length ? strncmp(number, other, n) == 0 : strcmp(number, other) == 0;

		if (same)
			assert_int_equal(str_is_empty(pairs_find(p, str_of(number))),
					 str_is_empty(pairs_find(p, str_of(other))));
	}
	assert_int_equal(pairs_reach(NULL, STR("880"), 2), 2);
}

static void pairs_are_made(void)
{
	CLEANUP(pairs_free) struct pairs *p = NULL;

	if (oom_refused(pairs_create(&p)))
		return;
	for (int i = 0; i < 20; i++)
		if (oom_refused(pairs_add(p, STR("880"), STR("1001"))))
			return;
	pairs_sort(p);
	assert_true(str_eq(pairs_find(p, STR("880")), STR("1001")));
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(pairs_are_made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_numbers_alone_are_found),
		cmocka_unit_test(the_reach_decides),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
