#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "number/chain.h"
#include "number/pattern.h"
#include "number/transform.h"
#include "oom.h"

static struct pattern *made(const char *text)
{
	struct pattern *p = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(pattern_create(&p, str_of(text), &err), 0);
	assert_false(err_is_set(&err));
	return p;
}

static const struct {
	const char *text, *number, *result; /* NULL: none matches */
} cases[] = {
	{ "/^0([1-9])/44$1/", "02071234567", "442071234567" },
	{ "/^(?:00|\\+)//", "0044207", "44207" },
	{ "/^(?:00|\\+)//", "+44207", "44207" },
	{ "/^(\\d{3})\\d*(\\d{4})$/$1$2/", "12345678901", "1238901" },
	{ "/^9/8/ /^9/7/", "91", "81" },
	{ "/^8/1/ /^9/2/", "91", "21" },
	{ "/5/$0$0/", "151", "1551" },
	{ "/5//", "123", NULL },
	{ "/$/9/", "123", "1239" },
	{ "/(1)|(2)/9$2/", "17", "97" },
	{ "/1\\K2/9/", "123", "193" },
	{ "", "123", NULL },
};

static void what_matched_is_replaced(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[100];
		struct buf out = buf_fixed(text, sizeof(text));

		struct pattern *p = made(cases[i].text);
		int r = pattern_apply(p, str_of(cases[i].number), &out);

		assert_int_equal(r, cases[i].result ? 1 : 0);
		if (cases[i].result)
			assert_string_equal(buf_cstr(&out), cases[i].result);
		pattern_free(p);
	}
}

static const struct {
	const char *text, *says;
} hostile[] = {
	{ "0:1", "expression 1 is not /expression/replacement/" },
	{ "/0/", "expression 1 is not /expression/replacement/" },
	{ "/0/1/2/", "expression 1 is not /expression/replacement/" },
	{ "/0/1/ 1", "expression 2 is not /expression/replacement/" },
	{ "/(/1/", "expression 1 is wrong at character 2: missing closing parenthesis" },
	{ "/0/a/", "expression 1 has a replacement with something besides 0-9 * # + and $0 to $9" },
	{ "/(1)|(2)/<$2/",
	  "expression 1 has a replacement with something besides 0-9 * # + and $0 to $9" },
	{ "/0/$/", "expression 1 has a $ without the number of a group" },
	{ "/0/$1/", "expression 1 names a group that it does not have" },
	{ "/(*UTF)0/1/", "expression 1 begins with a verb" },
	{ "/^(?:0|00|000)+[2-9]$/1/", "expression 1 tries too much: make it simpler" },
};

static void bad_expressions_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct pattern *p = NULL;
		struct err err = ERR_INIT;
		int r = pattern_create(&p, str_of(hostile[i].text), &err);

		assert_int_equal(r, -EINVAL);
		assert_string_equal(err.message, hostile[i].says);
	}
}

static void a_call_is_never_stalled(void **state)
{
	(void)state;
	/* Passes what is tried when it is entered; cut off when such a number comes. */
	struct pattern *p = made("/^7(?:2|22|222)+[4-9]$/1/");
	char text[100];
	struct buf out = buf_fixed(text, sizeof(text));

	assert_int_equal(pattern_apply(p, STR("7222222222222222222222222222222222222222"), &out),
			 -ELOOP);
	assert_int_equal(out.n, 0);
	pattern_free(p);
}

static void the_table_comes_before_the_expressions(void **state)
{
	(void)state;
	struct transform *t = NULL;
	char text[100];
	struct buf out = buf_fixed(text, sizeof(text));

	assert_int_equal(transform_create(&t, STR("1:2"), NULL), 0);
	assert_int_equal(transform_add_expressions(t, STR("/^[12]/3/"), NULL), 0);
	assert_int_equal(transform_apply(t, STR("15"), &out), 0);
	assert_string_equal(buf_cstr(&out), "25");
	buf_clear(&out);
	assert_int_equal(transform_apply(t, STR("25"), &out), 0);
	assert_string_equal(buf_cstr(&out), "35");
	buf_clear(&out);
	assert_int_equal(transform_apply(t, STR("anonymous1"), &out), 0);
	assert_string_equal(buf_cstr(&out), "anonymous1");
	buf_clear(&out);
	assert_int_equal(transform_add_expressions(t, STR("/^2+$//"), NULL), 0);
	assert_int_equal(transform_apply(t, STR("222"), &out), -EINVAL);
	transform_free(t);
}

static struct transform *rules(const char *text)
{
	struct transform *t = NULL;

	assert_int_equal(transform_create(&t, str_of(text), NULL), 0);
	return t;
}

static void a_chain_acts_step_by_step(void **state)
{
	(void)state;
	struct chain *c = NULL;
	char text[100];
	struct buf out = buf_fixed(text, sizeof(text));

	assert_int_equal(chain_create(&c), 0);
	assert_int_equal(chain_add(c, rules("1:2,2:1")), 0);
	assert_int_equal(chain_add(c, rules("2:3")), 0);
	assert_int_equal(chain_add(c, rules("3:")), 0);
	assert_int_equal(chain_apply(c, STR("15"), &out), 0);
	assert_string_equal(buf_cstr(&out), "5");
	buf_clear(&out);
	assert_int_equal(chain_apply(c, STR("1"), &out), -EINVAL);
	assert_int_equal(chain_apply(NULL, STR("15"), &out), 0);
	assert_string_equal(buf_cstr(&out), "15");
	chain_free(c);
}

static void a_number_is_rewritten(void)
{
	CLEANUP(transform_free) struct transform *t = NULL;
	CLEANUP(buf_done) struct buf out = BUF_INIT;

	if (oom_refused(transform_create(&t, STR("9:8"), NULL)))
		return;
	if (oom_refused(transform_add_expressions(t, STR("/^0(1)/$1/"), NULL)))
		return;
	int r = transform_apply(t, STR("012"), &out);
	assert_true(r == 0 || r == -ENOMEM || r == -EINVAL);
	if (r == 0)
		assert_true(str_eq(buf_str(&out), STR("12")));
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_number_is_rewritten);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_matched_is_replaced),
		cmocka_unit_test(bad_expressions_are_refused),
		cmocka_unit_test(a_call_is_never_stalled),
		cmocka_unit_test(the_table_comes_before_the_expressions),
		cmocka_unit_test(a_chain_acts_step_by_step),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
