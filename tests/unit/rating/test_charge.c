#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rating/charge.h"

static money_t money(const char *text)
{
	money_t m = -1;

	assert_int_equal(money_parse(str_of(text), &m), 0);
	return m;
}

static int64_t whole(struct str s)
{
	int64_t v = -1;

	assert_int_equal(str_to_i64(s, 0, INT64_MAX, &v), 0);
	return v;
}

static void assert_money(money_t got, const char *expected)
{
	char text[MONEY_TEXT];

	assert_string_equal(money_text(got, text), expected);
}

/* The columns of rating-cases.tsv. */
enum column {
	CASE,
	HOLD_MS,
	HOLD_TIME_PRECISION_MS,
	FREE_TIME_S,
	PRICE,
	UNIT_S,
	FIRST_S,
	STEP_S,
	SETUP_FEE,
	SECTIONS,
	TAX_PERCENT,
	FEE_PRECISION,
	FEE_UNIT,
	HOLD_S,
	BILLED_S,
	FEE,
	TAX,
	COLUMNS
};

static struct terms terms_of_row(const struct str cell[COLUMNS])
{
	struct terms t = {
		.unit_s = whole(cell[UNIT_S]),
		.first_s = whole(cell[FIRST_S]),
		.step_s = whole(cell[STEP_S]),
		.fee_precision = whole(cell[FEE_PRECISION]),
		.hold_time_precision_ms = whole(cell[HOLD_TIME_PRECISION_MS]),
		.free_time_s = whole(cell[FREE_TIME_S]),
	};

	assert_int_equal(money_parse(cell[PRICE], &t.price), 0);
	assert_int_equal(money_parse(cell[SETUP_FEE], &t.setup_fee), 0);
	assert_int_equal(money_parse(cell[TAX_PERCENT], &t.tax_percent), 0);
	assert_int_equal(money_parse(cell[FEE_UNIT], &t.fee_unit), 0);
	assert_int_equal(terms_parse_sections(cell[SECTIONS], &t), 0);
	assert_int_equal(terms_check(&t), 0);
	return t;
}

static void check_row(struct str line)
{
	struct str cell[COLUMNS];
	struct str rest = line;
	char expected[200], got[200], fee[MONEY_TEXT], tax[MONEY_TEXT];
	struct charge c;

	for (int i = 0; i < COLUMNS; i++)
		assert_true(str_split(&rest, '\t', &cell[i]));

	struct terms t = terms_of_row(cell);
	assert_int_equal(charge_compute(&t, whole(cell[HOLD_MS]), &c), 0);

	(void)snprintf(expected, sizeof(expected), "case %.*s: %.*s %.*s %.*s %.*s",
		       STR_ARG(cell[CASE]), STR_ARG(cell[HOLD_S]), STR_ARG(cell[BILLED_S]),
		       STR_ARG(cell[FEE]), STR_ARG(cell[TAX]));
	(void)snprintf(got, sizeof(got), "case %.*s: %lld %lld %s %s", STR_ARG(cell[CASE]),
		       (long long)c.hold_s, (long long)c.billed_s, money_text(c.fee, fee),
		       money_text(c.tax, tax));
	assert_string_equal(got, expected);
}

static void every_worked_case_comes_out_digit_for_digit(void **state)
{
	(void)state;
	FILE *f = fopen("tests/unit/rating/rating-cases.tsv", "re");
	char line[1000];
	int rows = -1; /* the header is none */

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (++rows > 0)
			check_row(str_of(line));
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rows, 153);
}

/* field-lessons.md, "Rating cases from the field". */
static const struct field_case {
	const char *source;
	const char *price;
	int unit_s, first_s, step_s;
	const char *setup_fee;
	const char *sections;
	int fee_precision;
	int seconds;
	const char *fee;
} field_cases[] = {
	{ "cgrates #118 (a)", "0.006", 60, 30, 6, "0", "-", 0, 32, "0.0036" },
	{ "cgrates #118 (b)", "0.006", 60, 30, 6, "0", "-", 0, 57, "0.006" },
	{ "cgrates #118 (c)", "0.006", 60, 30, 6, "0", "-", 0, 75, "0.0078" },
	{ "ivozprovider #692", "0.05", 60, 1, 1, "0", "-", 5, 60, "0.05" },
	{ "cgrates RT_20CNT", "0.2", 60, 60, 1, "0.4", "60:0.1", 0, 120, "0.7" },
	{ "cgrates RT_20CNT", "0.2", 60, 60, 1, "0.4", "60:0.1", 0, 130, "0.71666667" },
	{ "cgrates RT_20CNT", "0.2", 60, 60, 1, "0.4", "60:0.1", 4, 130, "0.7167" },
	/* Its step changes at 60 s, which one tariff of ours does not: a row for each side. */
	{ "cgrates RT_40CNT", "0.4", 60, 30, 30, "0.8", "60:0.2", 0, 1, "1" },
	{ "cgrates RT_40CNT", "0.4", 60, 30, 30, "0.8", "60:0.2", 0, 30, "1" },
	{ "cgrates RT_40CNT", "0.4", 60, 30, 30, "0.8", "60:0.2", 0, 31, "1.2" },
	{ "cgrates RT_40CNT", "0.4", 60, 30, 30, "0.8", "60:0.2", 0, 60, "1.2" },
	{ "cgrates RT_40CNT", "0.4", 60, 60, 10, "0.8", "60:0.2", 0, 61, "1.23333333" },
	{ "cgrates RT_40CNT", "0.4", 60, 60, 10, "0.8", "60:0.2", 0, 70, "1.23333333" },
	{ "cgrates RT_40CNT", "0.4", 60, 60, 10, "0.8", "60:0.2", 0, 71, "1.26666667" },
	{ "cgrates costs1_test", "1", 1, 1, 1, "0", "-", 0, 90, "90" },
	{ "cgrates costs1_test", "1", 1, 1, 1, "0", "-", 0, 0, "0" },
	{ "cgrates #260", "0.01", 60, 60, 60, "0.15", "60:0.01,120:0.01", 0, 180, "0.18" },
	{ "VOS seed 000", "0.0123", 60, 1, 1, "0", "-", 4, 60, "0.0123" },
	{ "VOS seed 000", "0.001", 60, 1, 1, "0", "-", 4, 60, "0.001" },
};

static struct terms terms_of_field_case(const struct field_case *c)
{
	struct terms t = TERMS_DEFAULT;

	t.price = money(c->price);
	t.unit_s = c->unit_s;
	t.first_s = c->first_s;
	t.step_s = c->step_s;
	t.setup_fee = money(c->setup_fee);
	t.fee_precision = c->fee_precision;
	assert_int_equal(terms_parse_sections(str_of(c->sections), &t), 0);
	return t;
}

static void cases_from_the_field_come_out_exact(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(field_cases) / sizeof(field_cases[0]); i++) {
		const struct field_case *f = &field_cases[i];
		struct terms t = terms_of_field_case(f);
		struct charge c;

		assert_int_equal(charge_compute(&t, f->seconds * INT64_C(1000), &c), 0);
		assert_money(c.fee, f->fee);
		assert_int_equal(charge_total(&t, f->seconds * INT64_C(1000)), c.fee);
	}
}

/* features.md §7.2: 60.030 s and 60.080 s at 50 ms; 60 s with 6 s free. */
static void milliseconds_become_seconds_at_the_threshold(void **state)
{
	(void)state;
	struct terms t = TERMS_DEFAULT;
	struct charge c;

	assert_int_equal(charge_compute(&t, 60030, &c), 0);
	assert_int_equal(c.billed_s, 60);
	assert_int_equal(charge_compute(&t, 60080, &c), 0);
	assert_int_equal(c.billed_s, 61);

	t.free_time_s = 6;
	assert_int_equal(charge_compute(&t, 60000, &c), 0);
	assert_int_equal(c.billed_s, 54);
}

/* field-lessons.md: balance 10 at 0.0123 a minute. The 49 ms after it are dropped at 50. */
static void ten_last_for_48780_seconds_whatever_the_increments(void **state)
{
	(void)state;
	static const int increments[][2] = { { 1, 1 }, { 30, 6 }, { 60, 60 } };

	for (size_t i = 0; i < 3; i++) {
		struct terms t = TERMS_DEFAULT;

		t.price = money("0.0123");
		t.first_s = increments[i][0];
		t.step_s = increments[i][1];
		assert_int_equal(charge_reach_ms(&t, money("10")), 48780049);
	}
}

static void what_costs_nothing_has_no_end(void **state)
{
	(void)state;
	struct terms t = TERMS_DEFAULT;

	assert_int_equal(charge_reach_ms(&t, 0), INT64_MAX);
	assert_int_equal(charge_reach_ms(&t, -1), -1);

	t.price = 1;
	t.unit_s = 86400; /* a day's charge is 1e-8 */
	assert_int_equal(charge_reach_ms(&t, 1), INT64_MAX);
	assert_int_equal(charge_reach_ms(&t, 0), 43199049); /* half of it rounds up */
}

static void free_time_is_within_reach_of_nothing(void **state)
{
	(void)state;
	struct terms t = TERMS_DEFAULT;

	t.price = MONEY_ONE;
	t.free_time_s = 6;
	assert_int_equal(charge_reach_ms(&t, 0), 6049);
	t.free_time_s = 0;
	t.setup_fee = MONEY_ONE;
	assert_int_equal(charge_reach_ms(&t, MONEY_ONE), 49);
}

static void tax_is_rounded_by_the_same_rule(void **state)
{
	(void)state;
	struct terms t = TERMS_DEFAULT;
	struct charge c;

	t.price = money("10");
	t.tax_percent = money("7.5");
	t.fee_unit = money("0.5"); /* beats the precision */
	t.fee_precision = 4;
	assert_int_equal(charge_compute(&t, 60000, &c), 0);
	assert_money(c.fee, "10");
	assert_money(c.tax, "1"); /* 0.75, half up */
	assert_money(charge_total(&t, 60000), "11");
	t.tax_unit = money("0.1"); /* its own */
	assert_money(charge_total(&t, 60000), "10.8");
}

static struct terms dearest(void)
{
	struct terms t = TERMS_DEFAULT;

	t.price = money("1000000000");
	t.unit_s = 1;
	return t;
}

static void money_that_does_not_fit_is_said_so(void **state)
{
	(void)state;
	struct terms t = dearest();
	struct charge c = { .fee = 7 };

	assert_int_equal(terms_check(&t), 0);
	assert_int_equal(charge_compute(&t, 92000, &c), 0);
	assert_int_equal(charge_compute(&t, 93000, &c), -ERANGE);
	assert_int_equal(charge_compute(&t, INT64_MAX, &c), -ERANGE);
	assert_money(c.fee, "92000000000"); /* as it was */
	assert_true(charge_total(&t, 93000) == MONEY_MAX);
	assert_int_equal(charge_reach_ms(&t, MONEY_MAX), 92049);

	/* Fee and tax fit, their sum does not. */
	t.tax_percent = money("100");
	assert_int_equal(charge_compute(&t, 46000, &c), 0);
	assert_int_equal(charge_compute(&t, 47000, &c), -ERANGE);

	t.price = 0;
	assert_int_equal(charge_compute(&t, INT64_MAX, &c), 0);
	assert_int_equal(c.fee, 0);
}

/* The largest values that terms_check lets through must not overflow anything inside. */
static void the_extremes_of_all_terms_are_computed(void **state)
{
	(void)state;
	struct terms t = dearest();
	struct charge c;

	t.setup_fee = t.price;
	t.first_s = t.step_s = 86400;
	t.tax_percent = money("1000");
	t.fee_unit = money("1000");
	t.free_time_s = 3600;
	for (int i = 0; i < TERMS_SECTIONS; i++)
		t.section[i] = (struct section){ 999999984 + i, t.price };
	t.section_count = TERMS_SECTIONS;
	for (t.unit_s = 1; t.unit_s <= 86400; t.unit_s *= 86400) {
		assert_int_equal(terms_check(&t), 0);
		assert_int_equal(charge_compute(&t, INT64_MAX, &c), -ERANGE);
	}

	t.price = t.setup_fee = t.tax_percent = 1;
	t.section_count = 0;
	t.fee_unit = 0;
	t.unit_s = 1;
	assert_int_equal(charge_compute(&t, INT64_MAX, &c), 0);
	assert_int_equal(c.fee, c.billed_s + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_worked_case_comes_out_digit_for_digit),
		cmocka_unit_test(cases_from_the_field_come_out_exact),
		cmocka_unit_test(milliseconds_become_seconds_at_the_threshold),
		cmocka_unit_test(ten_last_for_48780_seconds_whatever_the_increments),
		cmocka_unit_test(what_costs_nothing_has_no_end),
		cmocka_unit_test(free_time_is_within_reach_of_nothing),
		cmocka_unit_test(tax_is_rounded_by_the_same_rule),
		cmocka_unit_test(money_that_does_not_fit_is_said_so),
		cmocka_unit_test(the_extremes_of_all_terms_are_computed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
