#include "base/money.h"

#include <errno.h>

#include "base/cleanup.h"
#include "unit.h"

static void an_amount_is_exact_to_eight_decimals(void **state)
{
	static const struct {
		const char *in;
		money_t v;
		const char *out; /* NULL: as it was */
	} row[] = {
		{ "0", 0, NULL },
		{ "10", 1000000000, NULL },
		{ "0.0123", 1230000, NULL },
		{ "-3.5", -350000000, NULL },
		{ "-0.00000001", -1, NULL },
		{ "0.10000000", 10000000, "0.1" },
		{ "1.00", 100000000, "1" },
		{ "007", 700000000, "7" },
		{ "-0", 0, "0" },
		{ "-0.0", 0, "0" },
		{ "0.00000010", 10, "0.0000001" },
		{ "00000000000000000000000000000.5", 50000000, "0.5" },
		{ "92233720368.54775807", INT64_MAX, NULL },
		{ "-92233720368.54775808", INT64_MIN, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		char text[MONEY_TEXT];
		money_t v;

		assert_int_equal(money_parse(str_of(row[i].in), &v), 0);
		assert_int_equal(v, row[i].v);
		assert_string_equal(money_text(v, text), row[i].out ? row[i].out : row[i].in);
	}
}

static void what_is_no_amount_is_refused(void **state)
{
	static const struct {
		struct str in;
		int r;
	} row[] = {
		{ STR_INIT(""), -EINVAL },
		{ STR_INIT("-"), -EINVAL },
		{ STR_INIT("."), -EINVAL },
		{ STR_INIT("1."), -EINVAL },
		{ STR_INIT(".5"), -EINVAL },
		{ STR_INIT("-.5"), -EINVAL },
		{ STR_INIT("+1"), -EINVAL },
		{ STR_INIT("--1"), -EINVAL },
		{ STR_INIT("1.-5"), -EINVAL },
		{ STR_INIT("1.2.3"), -EINVAL },
		{ STR_INIT("1,5"), -EINVAL },
		{ STR_INIT("1e3"), -EINVAL },
		{ STR_INIT("0x10"), -EINVAL },
		{ STR_INIT("NaN"), -EINVAL },
		{ STR_INIT("inf"), -EINVAL },
		{ STR_INIT(" 1"), -EINVAL },
		{ STR_INIT("1 "), -EINVAL },
		{ STR_INIT("1\n"), -EINVAL },
		{ STR_INIT("1\0"), -EINVAL },
		{ STR_INIT("\xef\xbc\x91"), -EINVAL }, /* full-width 1 */
		{ STR_INIT("0.000000001"), -EINVAL },
		{ STR_INIT("0.000000000"), -EINVAL },
		{ STR_INIT("92233720368.54775808"), -ERANGE },
		{ STR_INIT("-92233720368.54775809"), -ERANGE },
		{ STR_INIT("92233720369"), -ERANGE },
		{ STR_INIT("184467440737.09551616"), -ERANGE }, /* 2^64 */
		{ STR_INIT("999999999999999999999999"), -ERANGE },
		{ STR_INIT("999999999999999999999999x"), -EINVAL },
		{ STR_INIT("999999999999999999999999.123456789"), -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		money_t v = 77;

		assert_int_equal(money_parse(row[i].in, &v), row[i].r);
		assert_int_equal(v, 77);
	}
}

static void any_amount_survives_printing_and_reading(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		/* Of all magnitudes and both signs. */
		money_t v = (money_t)(chance(&seed, UINT64_MAX) >> chance(&seed, 64)), back;
		char text[MONEY_TEXT];

		if (chance(&seed, 2))
			v = -v;
		assert_int_equal(money_parse(str_of(money_text(v, text)), &back), 0);
		assert_int_equal(back, v);
	}
}

static void hostile_text_never_does_more_than_fail(void **state)
{
	static const char alphabet[] = "0123456789.-+eE, \0x";
	uint64_t seed = 2;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		char text[30];
		size_t n = chance(&seed, sizeof(text));
		money_t v = 77;

		for (size_t k = 0; k < n; k++)
			text[k] = alphabet[chance(&seed, sizeof(alphabet))];
		int r = money_parse(str_n(text, n), &v);
		assert_true(r == 0 || r == -EINVAL || r == -ERANGE);
		if (r)
			assert_int_equal(v, 77);
	}
}

static void sums_do_not_overflow(void **state)
{
	static const struct {
		money_t a, b;
		bool add_fits, sub_fits;
	} row[] = {
		{ 1, 2, true, true },          { INT64_MAX, 1, false, true },
		{ INT64_MIN, 1, true, false }, { INT64_MIN, -1, false, true },
		{ 0, INT64_MIN, true, false }, { INT64_MAX, INT64_MIN, true, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		money_t v = 77;

		assert_int_equal(money_add(row[i].a, row[i].b, &v), row[i].add_fits ? 0 : -ERANGE);
		assert_int_equal(v, row[i].add_fits ? row[i].a + row[i].b : 77);
		v = 77;
		assert_int_equal(money_sub(row[i].a, row[i].b, &v), row[i].sub_fits ? 0 : -ERANGE);
		assert_int_equal(v, row[i].sub_fits ? row[i].a - row[i].b : 77);
	}
}

static void halves_are_rounded_away_from_zero(void **state)
{
	static const struct {
		int64_t num, den;
		money_t quantum, v;
	} row[] = {
		{ 0, 1, 1, 0 },
		{ 5, 2, 1, 3 },
		{ -5, 2, 1, -3 },
		{ 4, 3, 1, 1 },
		{ 5, 3, 1, 2 },
		{ 149, 1, 100, 100 },
		{ 150, 1, 100, 200 },
		{ -150, 1, 100, -200 },
		{ -149, 1, 100, -100 },
		{ 299, 2, 100, 100 }, /* 149.5 */
		{ 7, 2, 7, 7 },       /* 3.5 of 7 */
		{ 10, 3, 7, 0 },      /* 3.33 of 7 */
		{ 15, 4, 7, 7 },      /* 3.75 of 7 */
		/* 20 s of 0.0123 a minute: 0.0041 */
		{ 1230000LL * 20, 60, 1, 410000 },
		/* 61 s of 0.10 a minute: 0.101666..., to cents 0.10, to 1e-4 0.1017 */
		{ 10000000LL * 61, 60, 1000000, 10000000 },
		{ 10000000LL * 61, 60, 10000, 10170000 },
		{ INT64_MAX, 1, 1, INT64_MAX },
		{ INT64_MIN, 1, 1, INT64_MIN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		money_t v = 77;

		assert_int_equal(money_round(row[i].num, row[i].den, row[i].quantum, &v), 0);
		assert_int_equal(v, row[i].v);
	}
}

static int128_t big(uint64_t high, uint64_t low)
{
	return (int128_t)((uint128_t)high << 64 | low);
}

static void what_does_not_fit_after_rounding_is_refused(void **state)
{
	const int128_t most = big(INT64_MAX, UINT64_MAX), least = -most - 1;
	const struct {
		int128_t num, den;
		money_t quantum;
		int r;
		money_t v;
	} row[] = {
		{ (int128_t)INT64_MAX + 1, 1, 1, -ERANGE, 0 },
		{ (int128_t)INT64_MIN - 1, 1, 1, -ERANGE, 0 },
		{ INT64_MAX, 1, 10, -ERANGE, 0 }, /* only by rounding up */
		{ INT64_MIN, 1, 16, 0, INT64_MIN },
		{ most, 1, 1, -ERANGE, 0 },
		{ least, 1, 1, -ERANGE, 0 },
		{ most, most, 1, 0, 1 },
		{ least, most, 1, 0, -1 },
		{ most, most, 3, 0, 0 },
		{ most, most, 2, 0, 2 },
		{ most - 1, most, 2, 0, 0 }, /* a hair below one half of 2 */
		{ most, 2, INT64_MAX, -ERANGE, 0 },
		{ most, most, INT64_MAX, 0, 0 },
		{ big(1, 0), 3, INT64_MAX, 0, INT64_MAX }, /* 2^64 / 3 is 0.67 of it */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		money_t v = 77;

		assert_int_equal(money_round(row[i].num, row[i].den, row[i].quantum, &v), row[i].r);
		assert_int_equal(v, row[i].r ? 77 : row[i].v);
	}
}

/* The definition, for numbers small enough to form 2 * num + den * quantum. */
static int64_t by_definition(int64_t num, int64_t den, int64_t quantum)
{
	int128_t unit = (int128_t)den * quantum;
	int128_t twice = 2 * (int128_t)(num < 0 ? -num : num) + unit;
	int64_t steps = (int64_t)(twice / (2 * unit));

	return (num < 0 ? -steps : steps) * quantum;
}

static void rounding_agrees_with_its_definition(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (int i = 0; i < 500000; i++) {
		int64_t num = (int64_t)(chance(&seed, 1ULL << 62) >> chance(&seed, 62));
		int64_t den = 1 + (int64_t)(chance(&seed, 1ULL << 40) >> chance(&seed, 40));
		int64_t quantum = 1 + (int64_t)(chance(&seed, 1ULL << 40) >> chance(&seed, 40));
		money_t v;

		if (chance(&seed, 2))
			num = -num;
		if (chance(&seed, 4) == 0) /* exactly on a half, or one beside it */
			num = (int64_t)chance(&seed, 1000) * den % (1 << 20) * quantum / 2 +
			      (int64_t)chance(&seed, 3) - 1;
		assert_int_equal(money_round(num, den, quantum, &v), 0);
		assert_int_equal(v, by_definition(num, den, quantum));
	}
}

static void amounts_go_into_a_buffer(void **state)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	(void)state;
	buf_put_money(&b, -150000000);
	buf_putc(&b, ';');
	buf_put_money(&b, 42 * MONEY_ONE);
	assert_string_equal(buf_cstr(&b), "-1.5;42");
}

static void a_unit_has_as_many_decimals_as_it_says(void **state)
{
	char text[MONEY_TEXT];

	(void)state;
	assert_int_equal(money_unit(0), MONEY_ONE);
	assert_string_equal(money_text(money_unit(2), text), "0.01");
	assert_int_equal(money_unit(8), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_amount_is_exact_to_eight_decimals),
		cmocka_unit_test(what_is_no_amount_is_refused),
		cmocka_unit_test(any_amount_survives_printing_and_reading),
		cmocka_unit_test(hostile_text_never_does_more_than_fail),
		cmocka_unit_test(sums_do_not_overflow),
		cmocka_unit_test(halves_are_rounded_away_from_zero),
		cmocka_unit_test(what_does_not_fit_after_rounding_is_refused),
		cmocka_unit_test(rounding_agrees_with_its_definition),
		cmocka_unit_test(amounts_go_into_a_buffer),
		cmocka_unit_test(a_unit_has_as_many_decimals_as_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
