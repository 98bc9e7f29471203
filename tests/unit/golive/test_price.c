#include "golive/price.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/json.h"

enum { COLUMNS = 17, LINE = 1024 };
enum {
	CASE,
	HOLD_MS,
	PRECISION,
	FREE,
	PRICE,
	UNIT,
	FIRST,
	STEP,
	SETUP,
	SECTIONS,
	TAX_PERCENT,
	DIGITS,
	FEE_UNIT,
	HOLD_S,
	BILLED,
	FEE,
	TAX
};

static int64_t number(struct str s)
{
	int64_t n = -1;

	assert_int_equal(str_to_i64(s, 0, INT64_MAX, &n), 0);
	return n;
}

static money_t money(struct str s)
{
	money_t m = -1;

	assert_int_equal(money_parse(s, &m), 0);
	return m;
}

/* "30:0.5;60:0.2" as the array that rate.show gives. */
static json_t *sections(struct str text)
{
	json_t *list = json_array();
	struct str item;

	while (!str_eq(text, STR("-")) && str_split(&text, ';', &item))
		(void)json_array_append_new(list, json_stringn(item.p, item.n));
	return list;
}

static void check_line(struct str line)
{
	struct str cell[COLUMNS];
	struct price_sum sum;

	for (int i = 0; i < COLUMNS; i++)
		assert_true(str_split(&line, '\t', &cell[i]));
	CLEANUP(json_decref) json_t *list = sections(cell[SECTIONS]);
	struct price_list p = { .price = money(cell[PRICE]),
				.setup_fee = money(cell[SETUP]),
				.tax_percent = money(cell[TAX_PERCENT]),
				.unit_s = number(cell[UNIT]),
				.first_s = number(cell[FIRST]),
				.step_s = number(cell[STEP]),
				.sections = list };
	struct price_rules r = { .precision_ms = number(cell[PRECISION]),
				 .free_s = number(cell[FREE]),
				 .digits = number(cell[DIGITS]),
				 .unit = money(cell[FEE_UNIT]) };

	assert_int_equal(price_sum(&p, &r, number(cell[HOLD_MS]), &sum), 0);
	if (sum.billed_s != number(cell[BILLED]) || sum.fee != money(cell[FEE]) ||
	    sum.tax != money(cell[TAX]))
		fail_msg("case %.*s: %lld s, fee %lld, tax %lld", STR_ARG(cell[CASE]),
			 (long long)sum.billed_s, (long long)sum.fee, (long long)sum.tax);
}

/* The worked cases of the price list's rules, which the switch's own arithmetic is tested by too. */
static void every_worked_case_comes_out(void **state)
{
	FILE *f = fopen("tests/unit/rating/rating-cases.tsv", "re");
	char line[LINE];
	int cases = 0;

	(void)state;
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	while (fgets(line, sizeof(line), f)) {
		check_line(str_trim(str_of(line)));
		cases++;
	}
	(void)fclose(f);
	assert_true(cases > 100);
}

static void a_rate_is_read_as_the_switch_shows_it(void **state)
{
	CLEANUP(json_decref)
	json_t *rate =
		json_pack("{s:s s:i s:i s:i s:s s:s s:n}", "price", "0.0123", "unit", 60, "first",
			  30, "step", 6, "setup_fee", "0.002", "tax_percent", "5", "sections");
	CLEANUP(json_decref) json_t *empty = json_object();
	struct price_list p;

	(void)state;
	if (!rate || !empty)
		return;
	assert_int_equal(price_read(&p, rate), 0);
	assert_true(p.price == 1230000 && p.setup_fee == 200000 && p.tax_percent == 5 * MONEY_ONE);
	assert_true(p.unit_s == 60 && p.first_s == 30 && p.step_s == 6);
	assert_int_equal(price_read(&p, empty), -EINVAL);
	assert_int_equal(price_read(&p, NULL), -EINVAL);
}

static void what_fits_no_amount_is_refused(void **state)
{
	struct price_list p = { .price = MONEY_MAX, .unit_s = 1, .first_s = 1, .step_s = 1 };
	struct price_rules r = { .precision_ms = 50 };
	struct price_sum sum;

	(void)state;
	assert_int_equal(price_sum(&p, &r, 1000, &sum), 0);
	assert_true(sum.fee == MONEY_MAX);
	assert_int_equal(price_sum(&p, &r, 2000, &sum), -ERANGE);
	CLEANUP(json_decref) json_t *bad = json_pack("[s]", "soon:1");
	p.sections = bad;
	if (bad)
		assert_int_equal(price_sum(&p, &r, 1000, &sum), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_worked_case_comes_out),
		cmocka_unit_test(a_rate_is_read_as_the_switch_shows_it),
		cmocka_unit_test(what_fits_no_amount_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
