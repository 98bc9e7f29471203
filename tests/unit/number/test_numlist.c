#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "number/numlist.h"
#include "oom.h"

static struct numlist *made(struct str text)
{
	struct numlist *l = NULL;

	assert_int_equal(numlist_create(&l, text), 0);
	return l;
}

static void whole_numbers_match_and_nothing_else(void **state)
{
	(void)state;
	struct numlist *l = made(STR("112, 911,116117,911,*100#"));

	assert_true(numlist_has(l, STR("112")));
	assert_true(numlist_has(l, STR("911")));
	assert_true(numlist_has(l, STR("116117")));
	assert_true(numlist_has(l, STR("*100#")));
	assert_false(numlist_has(l, STR("11")));
	assert_false(numlist_has(l, STR("1120")));
	assert_false(numlist_has(l, STR("12")));
	assert_false(numlist_has(l, STR("*")));
	assert_false(numlist_has(l, STR("")));
	numlist_free(l);
}

static void an_empty_list_has_no_number(void **state)
{
	(void)state;
	static const char *const empty[] = { "", ",", " , ,," };

	for (size_t i = 0; i < 3; i++) {
		struct numlist *l = made(str_of(empty[i]));

		assert_false(numlist_has(l, STR("1")));
		assert_false(numlist_has(l, STR("")));
		numlist_free(l);
	}
	struct numlist *l = made(str_of(NULL));
	assert_false(numlist_has(l, STR("1")));
	numlist_free(l);
}

static void the_list_does_not_need_its_text(void **state)
{
	(void)state;
	char text[] = "112,911";
	struct numlist *l = made(str_of(text));

	text[0] = '9';
	assert_true(numlist_has(l, STR("112")));
	assert_false(numlist_has(l, STR("912")));
	numlist_free(l);
}

static void a_list_is_made(void)
{
	CLEANUP(numlist_free) struct numlist *l = NULL;

	if (!oom_refused(numlist_create(&l, STR("112,911"))))
		assert_true(numlist_has(l, STR("911")));
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_list_is_made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_numbers_match_and_nothing_else),
		cmocka_unit_test(an_empty_list_has_no_number),
		cmocka_unit_test(the_list_does_not_need_its_text),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
