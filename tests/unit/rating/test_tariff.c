#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "dice.h"
#include "oom.h"
#include "rating/tariff.h"

/* A rate as a test writes it; what is left out is as entities.tsv has it. */
struct given {
	const char *prefix;
	ms_t effective;
	ms_t end; /* 0 = open */
	money_t price;
	const char *sections;
	const char *origin;
	int64_t version;
	bool is_locked;
};

enum { ROWS = 400, TEXT = 100 };

/* Rows with their texts, and pointers to them as tariff_create wants them. */
struct sheet {
	size_t n;
	struct rate_row *at[ROWS];
	struct rate_row row[ROWS];
	char prefix[ROWS][TEXT], sections[ROWS][TEXT], origin[ROWS][TEXT];
};

static struct sheet sheet;

static const struct tariff_rules rules = {
	.fee_precision = 4,
	.fee_unit = 0,
	.hold_time_precision_ms = 50,
	.free_time_s = 0,
};

static char *text(char to[TEXT], const char *from)
{
	if (!from)
		return NULL;
	assert_int_equal(str_copy(to, TEXT, str_of(from)), 0);
	return to;
}

static void add(const struct given *g)
{
	size_t i = sheet.n++;

	assert_true(i < ROWS);
	sheet.row[i] = (struct rate_row){
		.prefix = text(sheet.prefix[i], g->prefix),
		.origin = text(sheet.origin[i], g->origin),
		.sections = text(sheet.sections[i], g->sections),
		.effective = g->effective,
		.end = g->end ? g->end : FIELD_ABSENT,
		.price = g->price,
		.unit = 60,
		.first = 1,
		.step = 1,
		.status = g->is_locked ? RATE_STATUS_LOCKED : RATE_STATUS_NORMAL,
		.version = g->version ? g->version : FIELD_ABSENT,
	};
	sheet.at[i] = &sheet.row[i];
}

#define SHEET(...) fill((const struct given[]){ __VA_ARGS__, { .price = -1 } })

static void fill(const struct given *g)
{
	sheet.n = 0;
	for (; g->price >= 0; g++)
		add(g);
}

static struct tariff *made(void)
{
	struct tariff *t = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(tariff_create(&t, sheet.at, sheet.n, &rules, NULL, &err), 0);
	assert_false(err_is_set(&err));
	return t;
}

/* The price in force; -1 for none. */
static money_t price(const struct tariff *t, const char *number, ms_t at)
{
	const struct rate *r = tariff_find(t, str_of(number), STR(""), at);

	return r ? r->price : -1;
}

static void the_longest_prefix_wins(void **state)
{
	(void)state;
	SHEET({ .prefix = "88", .price = 1 }, { .prefix = "8801", .price = 3 },
	      { .prefix = "880", .price = 2 }, { .prefix = "44", .price = 9 });
	struct tariff *t = made();

	assert_int_equal(price(t, "8801712345678", 0), 3);
	assert_int_equal(price(t, "8802", 0), 2);
	assert_int_equal(price(t, "88", 0), 1);
	assert_int_equal(price(t, "8", 0), -1);
	assert_int_equal(price(t, "", 0), -1);
	assert_int_equal(price(t, "88x01", 0), 1);
	assert_int_equal(tariff_find(t, STR("8801"), STR(""), 0)->prefix_len, 4);
	assert_int_equal(tariff_count(t), 4);
	tariff_free(t);
}

static void the_empty_prefix_takes_every_number(void **state)
{
	(void)state;
	SHEET({ .prefix = "", .price = 5 }, { .prefix = "1", .price = 6 });
	struct tariff *t = made();

	assert_int_equal(price(t, "442", 0), 5);
	assert_int_equal(price(t, "", 0), 5);
	assert_int_equal(price(t, "12", 0), 6);
	tariff_free(t);
}

static void a_rate_is_in_force_from_its_moment_until_its_end(void **state)
{
	(void)state;
	SHEET({ .prefix = "88", .effective = 100, .end = 200, .price = 1 },
	      { .prefix = "88", .effective = 300, .price = 2 });
	struct tariff *t = made();

	assert_int_equal(price(t, "880", 99), -1);
	assert_int_equal(price(t, "880", 100), 1);
	assert_int_equal(price(t, "880", 199), 1);
	assert_int_equal(price(t, "880", 200), -1);
	assert_int_equal(price(t, "880", 299), -1);
	assert_int_equal(price(t, "880", 300), 2);
	assert_int_equal(price(t, "880", INT64_MAX - 1), 2);
	tariff_free(t);
}

/* rating.md: "A scheduled replacement price takes over at its moment". */
static void a_later_version_takes_over_from_an_open_one(void **state)
{
	(void)state;
	SHEET({ .prefix = "88", .effective = 100, .price = 1 },
	      { .prefix = "88", .effective = 500, .end = 600, .price = 3 },
	      { .prefix = "88", .effective = 200, .price = 2 });
	struct tariff *t = made();

	assert_int_equal(price(t, "88", 100), 1);
	assert_int_equal(price(t, "88", 200), 2);
	assert_int_equal(price(t, "88", 500), 3);
	assert_int_equal(price(t, "88", 600), 2); /* the offer is over */
	tariff_free(t);
}

static void without_a_version_in_force_the_next_shorter_prefix_has_one(void **state)
{
	(void)state;
	SHEET({ .prefix = "8", .price = 1 }, { .prefix = "88", .effective = 50, .price = 2 },
	      { .prefix = "880", .effective = 100, .end = 200, .price = 3 });
	struct tariff *t = made();

	assert_int_equal(price(t, "880", 0), 1);
	assert_int_equal(price(t, "880", 60), 2);
	assert_int_equal(price(t, "880", 100), 3);
	assert_int_equal(price(t, "880", 200), 2);
	tariff_free(t);
}

static void a_locked_rate_is_found_and_says_so(void **state)
{
	(void)state;
	SHEET({ .prefix = "8", .price = 1 }, { .prefix = "88", .price = 2, .is_locked = true });
	struct tariff *t = made();

	assert_true(tariff_find(t, STR("880"), STR(""), 0)->is_locked);
	assert_false(tariff_find(t, STR("80"), STR(""), 0)->is_locked);
	tariff_free(t);
}

static void rows_of_an_origin_that_is_not_there_are_left_out(void **state)
{
	(void)state;
	SHEET({ .prefix = "88", .price = 1 }, { .prefix = "88", .price = 2, .origin = "eu" },
	      { .prefix = "88", .effective = 1, .price = 3, .origin = "" });
	struct tariff *t = made();

	assert_int_equal(tariff_count(t), 2);
	assert_int_equal(price(t, "88", 0), 1);
	assert_int_equal(price(t, "88", 1), 3);
	assert_true(tariff_may_have_origin(
		t, "eu")); /* so that it is made anew when there is such a group */
	tariff_free(t);
}

/* eu is 49 and 33, of which mobiles are 4915; uk also takes who shows no number. */
static struct origin eu[] = {
	{ STR_INIT("eu"), STR_INIT("49, 33"), false },
	{ STR_INIT("eu-mobile"), STR_INIT("4915"), false },
	{ STR_INIT("nobody"), STR_INIT("7"), false },
	{ STR_INIT("uk"), STR_INIT("44"), true },
};
static const struct origin_list groups = { eu, 4, 4 };

static struct tariff *made_by_origin(void)
{
	struct tariff *t = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(tariff_create(&t, sheet.at, sheet.n, &rules, &groups, &err), 0);
	assert_false(err_is_set(&err));
	return t;
}

static money_t price_from(const struct tariff *t, const char *number, const char *caller, ms_t at)
{
	const struct rate *r = tariff_find(t, str_of(number), str_of(caller), at);

	return r ? r->price : -1;
}

static void the_caller_s_origin_goes_before_any(void **state)
{
	(void)state;
	SHEET({ .prefix = "88", .price = 1 }, { .prefix = "88", .price = 2, .origin = "eu" },
	      { .prefix = "88", .price = 3, .origin = "uk" }, { .prefix = "880", .price = 4 },
	      { .prefix = "8801", .price = 5, .origin = "eu-mobile" },
	      { .prefix = "8801", .price = 6, .origin = "eu" },
	      { .prefix = "8801", .price = 7, .origin = "uk", .effective = 100 });
	struct tariff *t = made_by_origin();

	assert_int_equal(tariff_count(t), 7);
	assert_int_equal(price_from(t, "881", "4930", 0), 2);
	assert_int_equal(price_from(t, "881", "1", 0), 1);
	assert_int_equal(price_from(t, "881", "", 0), 3);
	/* The longest prefix first, whoever calls. */
	assert_int_equal(price_from(t, "880", "4930", 0), 4);
	assert_int_equal(price_from(t, "88017", "331", 0), 6);
	assert_int_equal(price_from(t, "88017", "49151", 0), 5);
	/* Nothing for this caller at 8801, so it is 880; later there is. */
	assert_int_equal(price_from(t, "88017", "44", 0), 4);
	assert_int_equal(price_from(t, "88017", "44", 100), 7);
	assert_int_equal(price_from(t, "88017", "39", 100), 4);

	const struct rate *r = tariff_find(t, STR("88017"), STR("49151"), 0);
	assert_string_equal(tariff_origin(t, r), "eu-mobile");
	assert_null(tariff_origin(t, tariff_find(t, STR("88017"), STR("1"), 0)));
	assert_true(tariff_may_have_origin(t, "uk"));
	assert_false(tariff_may_have_origin(t, "nobody"));
	tariff_free(t);
}

static void versions_of_an_origin_follow_each_other(void **state)
{
	(void)state;
	SHEET({ .prefix = "88", .price = 1, .effective = 50 },
	      { .prefix = "88", .price = 2, .origin = "eu", .end = 20 },
	      { .prefix = "88", .price = 3, .origin = "eu", .effective = 20, .end = 40 },
	      { .prefix = "88", .price = 4, .origin = "eu-mobile", .effective = 30 },
	      { .prefix = "8", .price = 9 });
	struct tariff *t = made_by_origin();
	static const struct {
		ms_t at;
		money_t fixed, mobile, other;
	} want[] = { { 0, 2, 2, 9 },  { 19, 2, 2, 9 }, { 20, 3, 3, 9 },
		     { 30, 3, 4, 9 }, { 40, 9, 4, 9 }, { 50, 1, 4, 1 } };

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_int_equal(price_from(t, "88", "331", want[i].at), want[i].fixed);
		assert_int_equal(price_from(t, "88", "49151", want[i].at), want[i].mobile);
		assert_int_equal(price_from(t, "88", "1", want[i].at), want[i].other);
	}
	tariff_free(t);
}

static void an_empty_group_has_no_rate(void **state)
{
	(void)state;
	sheet.n = 0;
	struct tariff *t = made();

	assert_null(tariff_find(t, STR("88"), STR(""), 0));
	assert_int_equal(tariff_count(t), 0);
	tariff_free(t);
}

static void terms_are_the_rate_s_and_the_group_s(void **state)
{
	(void)state;
	SHEET({ .prefix = "1", .price = 10, .sections = "60:0.01" },
	      { .prefix = "2", .price = 20, .version = 7 },
	      { .prefix = "3", .price = 30, .sections = "180:0.2;600:0.3" });
	sheet.row[2].unit = 6;
	sheet.row[2].first = 30;
	sheet.row[2].step = 12;
	sheet.row[2].setup_fee = 5;
	sheet.row[2].tax_percent = 750000000;
	struct tariff *t = made();
	struct terms got;

	tariff_terms(t, tariff_find(t, STR("3"), STR(""), 0), &got);
	const struct terms expected = {
		.price = 30,
		.unit_s = 6,
		.first_s = 30,
		.step_s = 12,
		.setup_fee = 5,
		.tax_percent = 750000000,
		.section_count = 2,
		.section = { { 180, 20000000 }, { 600, 30000000 } },
		.fee_precision = 4,
		.hold_time_precision_ms = 50,
	};
	assert_memory_equal(&got, &expected, sizeof(got));

	tariff_terms(t, tariff_find(t, STR("2"), STR(""), 0), &got);
	assert_int_equal(got.section_count, 0);
	assert_int_equal(tariff_find(t, STR("2"), STR(""), 0)->version, 7);
	assert_int_equal(tariff_find(t, STR("1"), STR(""), 0)->version, 0);
	tariff_free(t);
}

static void assert_refused(const struct tariff_rules *by, const char *field)
{
	struct tariff *t = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(tariff_create(&t, sheet.at, sheet.n, by, NULL, &err), -EINVAL);
	assert_string_equal(err.field, field);
	assert_null(t);
	assert_int_equal(tariff_create(&t, sheet.at, sheet.n, by, NULL, NULL), -EINVAL);
}

static void rows_that_make_no_sense_are_refused(void **state)
{
	(void)state;
	SHEET({ .prefix = "8a", .price = 1 });
	assert_refused(&rules, "prefix");
	SHEET({ .prefix = "12345678901234567890123456789012345678901", .price = 1 });
	assert_refused(&rules, "prefix");
	SHEET({ .prefix = "88", .effective = 100, .end = 100, .price = 1 });
	assert_refused(&rules, "end");
	SHEET({ .prefix = "88", .price = 1, .sections = "60" });
	assert_refused(&rules, "sections");
	SHEET({ .prefix = "88", .price = 1 }, { .prefix = "8", .price = 1 },
	      { .prefix = "88", .price = 2 });
	assert_refused(&rules, "prefix");
	SHEET({ .prefix = "88", .price = 1 });
	sheet.row[0].price = -1;
	assert_refused(&rules, "price");
	sheet.row[0].price = 1;
	sheet.row[0].unit = 0;
	assert_refused(&rules, "unit");
}

static void rules_that_nobody_filled_are_refused(void **state)
{
	(void)state;
	struct tariff_rules bad = rules;

	sheet.n = 0;
	bad.fee_precision = FIELD_ABSENT;
	assert_refused(&bad, "fee_precision");
	bad = rules;
	bad.hold_time_precision_ms = 0;
	assert_refused(&bad, "hold_time_precision");
	bad = rules;
	bad.fee_unit = -1;
	assert_refused(&bad, "fee_unit");
	bad = rules;
	bad.free_time_s = 3601;
	assert_refused(&bad, "free_time");
}

/* The definition, row by row: longest prefix in force, of those the latest. */
static money_t scan(struct str number, ms_t at)
{
	const struct rate_row *best = NULL;
	size_t best_len = 0;

	for (size_t i = 0; i < sheet.n; i++) {
		const struct rate_row *row = &sheet.row[i];
		size_t len = strlen(row->prefix);

		if (!str_has_prefix(number, str_of(row->prefix)) || at < row->effective ||
		    (row->end != FIELD_ABSENT && at >= row->end))
			continue;
		if (!best || len > best_len ||
		    (len == best_len && row->effective > best->effective)) {
			best = row;
			best_len = len;
		}
	}
	return best ? best->price : -1;
}

/* Few digits and few moments, so that there is much to choose from. */
static void random_digits(struct dice *d, char out[TEXT], int64_t max)
{
	int64_t n = dice_in(d, 0, max);

	for (int64_t i = 0; i < n; i++)
		out[i] = "123"[dice_in(d, 0, 2)];
	out[n] = '\0';
}

static bool is_taken(const char *prefix, ms_t effective)
{
	for (size_t i = 0; i < sheet.n; i++)
		if (sheet.row[i].effective == effective && !strcmp(sheet.row[i].prefix, prefix))
			return true;
	return false;
}

static void random_sheet(struct dice *d)
{
	char prefix[TEXT];

	sheet.n = 0;
	for (int64_t n = dice_in(d, 0, 60); n > 0; n--) {
		ms_t effective = dice_in(d, 1, 20);
		ms_t end = dice_one_in(d, 2) ? 0 : effective + dice_in(d, 1, 10);

		random_digits(d, prefix, 4);
		if (!is_taken(prefix, effective))
			add(&(struct given){ .prefix = prefix,
					     .effective = effective,
					     .end = end,
					     .price = (money_t)sheet.n });
	}
}

static void any_lookup_is_that_of_a_scan_of_all_rows(void **state)
{
	(void)state;
	struct dice d = dice_new();
	char number[TEXT];

	/* Few rounds: the whole test is run again for each of their allocations. */
	for (int round = 0; round < 30; round++) {
		random_sheet(&d);
		struct tariff *t = made();

		for (int i = 0; i < 1000; i++) {
			ms_t at = dice_in(&d, 0, 35);

			random_digits(&d, number, 6);
			assert_int_equal(price(t, number, at), scan(str_of(number), at));
		}
		tariff_free(t);
	}
}

static void a_sheet_is_compiled(void)
{
	CLEANUP(tariff_free) struct tariff *t = NULL;

	SHEET({ .prefix = "1", .price = 10, .sections = "60:0.01" },
	      { .prefix = "12", .price = 20 });
	if (oom_refused(tariff_create(&t, sheet.at, sheet.n, &rules, &groups, NULL)))
		return;
	assert_int_equal(price(t, "123", 0), 20);
	assert_true(tariff_bytes(t) > 2 * sizeof(struct rate));
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_sheet_is_compiled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_prefix_wins),
		cmocka_unit_test(the_empty_prefix_takes_every_number),
		cmocka_unit_test(a_rate_is_in_force_from_its_moment_until_its_end),
		cmocka_unit_test(a_later_version_takes_over_from_an_open_one),
		cmocka_unit_test(without_a_version_in_force_the_next_shorter_prefix_has_one),
		cmocka_unit_test(a_locked_rate_is_found_and_says_so),
		cmocka_unit_test(rows_of_an_origin_that_is_not_there_are_left_out),
		cmocka_unit_test(the_caller_s_origin_goes_before_any),
		cmocka_unit_test(versions_of_an_origin_follow_each_other),
		cmocka_unit_test(an_empty_group_has_no_rate),
		cmocka_unit_test(terms_are_the_rate_s_and_the_group_s),
		cmocka_unit_test(rows_that_make_no_sense_are_refused),
		cmocka_unit_test(rules_that_nobody_filled_are_refused),
		cmocka_unit_test(any_lookup_is_that_of_a_scan_of_all_rows),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
