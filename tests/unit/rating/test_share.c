#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "rating/share.h"

static struct terms per_second(money_t price)
{
	struct terms t = TERMS_DEFAULT;

	t.price = price;
	t.unit_s = 1;
	return t;
}

/* west at 3 a second, hub without rates, north at 1 a second with a tax of 10 %. */
static void put_tree(struct shares *s)
{
	*s = (struct shares){ 0 };
	assert_int_equal(shares_add(s, "west"), 0);
	assert_int_equal(shares_add(s, "a \"hub\"\n"), 0);
	assert_int_equal(shares_add(s, "north"), 0);
	s->of[0].is_rated = s->of[2].is_rated = true;
	s->of[0].terms = per_second(300);
	s->of[2].terms = per_second(100);
	s->of[2].terms.tax_percent = 10 * MONEY_ONE;
	s->of[0].version = 7;
	memcpy(s->of[0].prefix, "880", 4);
}

static void each_level_earns_what_is_left(void **state)
{
	(void)state;
	struct shares s;

	put_tree(&s);
	assert_int_equal(shares_compute(&s, 5000, 10000), 0);
	assert_int_equal(s.of[0].charge, 3000);
	assert_int_equal(s.of[0].income, 2000);
	assert_int_equal(s.of[1].charge, 3000);
	assert_int_equal(s.of[1].income, 0);
	assert_int_equal(s.of[1].billed_s, 0);
	assert_int_equal(s.of[2].charge, 1100);
	assert_int_equal(s.of[2].income, 1900);
	assert_int_equal(s.of[2].billed_s, 10);
	assert_int_equal(shares_income(&s), 5000 - 1100);

	/* Sold below its own rates: the difference is its. */
	assert_int_equal(shares_compute(&s, 1000, 10000), 0);
	assert_int_equal(s.of[0].income, -2000);
	assert_int_equal(shares_income(&s), -100);
	shares_done(&s);
	assert_int_equal(shares_income(&s), 0);
}

static void a_sum_that_does_not_fit_changes_nothing(void **state)
{
	(void)state;
	struct shares s;

	put_tree(&s);
	assert_int_equal(shares_compute(&s, 5000, 10000), 0);
	s.of[0].terms.price = 1000000000 * MONEY_ONE;
	assert_int_equal(shares_compute(&s, 5000, 86400000), -ERANGE);
	assert_int_equal(s.of[0].charge, 3000);
	shares_done(&s);
}

static void the_text_reads_back(void **state)
{
	(void)state;
	struct shares s, back = { 0 };
	CLEANUP(buf_done) struct buf first = BUF_INIT, second = BUF_INIT;

	put_tree(&s);
	assert_int_equal(shares_compute(&s, 1000, 10000), 0);
	shares_put(&s, &first);
	assert_int_equal(shares_parse(buf_str(&first), &back), 0);
	assert_int_equal(back.count, 3);
	assert_string_equal(back.of[1].agent, "a \"hub\"\n");
	assert_false(back.of[1].is_rated);
	assert_int_equal(back.of[0].income, -2000);
	assert_int_equal(back.of[0].version, 7);
	assert_string_equal(back.of[0].prefix, "880");
	shares_put(&back, &second);
	assert_string_equal(buf_cstr(&first), buf_cstr(&second));
	assert_int_equal(shares_compute(&back, 5000, 10000), 0);
	assert_int_equal(shares_income(&back), 3900);
	shares_done(&s);
	shares_done(&back);
}

static void what_is_no_such_text_is_refused(void **state)
{
	(void)state;
#define ONE "{\"agent\":\"a\",\"billed_s\":0,\"charge\":1,\"income\":2}"
	static const char *const bad[] = {
		"",
		"{}",
		"[1]",
		"[{}]",
		"[" ONE,
		"[{\"agent\":\"a\",\"billed_s\":0,\"charge\":1}]",
		"[{\"agent\":\"a\",\"billed_s\":0,\"charge\":1.5,\"income\":2}]",
		"[{\"agent\":\"a\",\"billed_s\":0,\"charge\":\"1\",\"income\":2}]",
		"[{\"agent\":\"a\",\"terms\":\"price=1\",\"billed_s\":0,\"charge\":1,\"income\":2}"
		"]",
		"[{\"agent\":\"a\",\"agent\":\"b\",\"billed_s\":0,\"charge\":1,\"income\":2}]",
		"[" ONE "," ONE "," ONE "," ONE "," ONE "," ONE "]",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct shares s = { 0 };

		assert_int_equal(shares_parse(str_of(bad[i]), &s), -EINVAL);
		assert_int_equal(s.count, 0);
	}
	struct shares s = { 0 };
	assert_int_equal(shares_parse(STR("[" ONE "]"), &s), 0);
	shares_done(&s);
}

static void the_tree_has_an_end(void **state)
{
	(void)state;
	struct shares s = { 0 };

	for (int i = 0; i < SHARES_MAX; i++)
		assert_int_equal(shares_add(&s, "x"), 0);
	assert_int_equal(shares_add(&s, "x"), -ENOSPC);
	shares_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_level_earns_what_is_left),
		cmocka_unit_test(a_sum_that_does_not_fit_changes_nothing),
		cmocka_unit_test(the_text_reads_back),
		cmocka_unit_test(what_is_no_such_text_is_refused),
		cmocka_unit_test(the_tree_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
