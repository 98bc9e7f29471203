/*
 * Random charges, put beside those of check.py, which computes in exact fractions and shares
 * nothing with us but the text form of the terms.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "dice.h"
#include "rating/charge.h"

/* tests/bench/rating.sh asks for a million in RATING_CASES. */
enum { CASES = 20000, CASES_MAX = 1000000000, LINE = 2000 };

#define CHECK "python3 tests/unit/rating/check.py"

static int64_t one_of(struct dice *d, const int64_t *values, size_t n)
{
	return values[dice_u64(d) % n];
}

#define ONE_OF(d, ...)                                \
	one_of((d), (const int64_t[]){ __VA_ARGS__ }, \
	       sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t))

/* As people write prices, with now and then one of any length. */
static money_t random_price(struct dice *d)
{
	money_t decimals = ONE_OF(d, 1, 100, 10000, 1000000, MONEY_ONE);

	if (dice_one_in(d, 20))
		return dice_in(d, 0, 1000000000 * MONEY_ONE);
	return dice_in(d, 0, 10 * MONEY_ONE / decimals) * decimals;
}

static int64_t random_seconds(struct dice *d)
{
	return dice_one_in(d, 10) ? dice_in(d, 1, 86400) : ONE_OF(d, 1, 1, 6, 30, 60, 180);
}

static void random_sections(struct dice *d, struct terms *t)
{
	int n = (int)(dice_one_in(d, 20) ? TERMS_SECTIONS : ONE_OF(d, 0, 0, 0, 1, 2, 3));
	int64_t start = 0;

	for (int i = 0; i < n; i++) {
		start += i == 0 && dice_one_in(d, 20) ? 0 : dice_in(d, 1, 600);
		t->section[i] = (struct section){ start, random_price(d) };
	}
	t->section_count = n;
}

static struct terms random_terms(struct dice *d)
{
	struct terms t = {
		.price = random_price(d),
		.unit_s = random_seconds(d),
		.first_s = random_seconds(d),
		.step_s = random_seconds(d),
		.setup_fee = dice_one_in(d, 3) ? random_price(d) : 0,
		.tax_percent = ONE_OF(d, 0, 5, 15) * MONEY_ONE + dice_in(d, 0, 9) * MONEY_ONE / 10,
		.fee_precision = dice_in(d, 0, 8),
		.fee_unit = dice_one_in(d, 3) ? ONE_OF(d, 1, 1000, 10000, 3000000, 5000000,
						       MONEY_ONE, 7, 1000 * MONEY_ONE)
					      : 0,
		.hold_time_precision_ms = ONE_OF(d, 1, 50, 500, 999, 1000, dice_in(d, 1, 1000)),
		.free_time_s = ONE_OF(d, 0, 0, 0, 3, 6, dice_in(d, 0, 3600)),
		.is_of_talk = dice_one_in(d, 4),
		.tax_unit =
			dice_one_in(d, 3) ? ONE_OF(d, 1, 10000, 1000000, 5000000, MONEY_ONE) : 0,
	};

	random_sections(d, &t);
	return t;
}

/* Half of them within a millisecond of where one second more is charged. */
static int64_t random_hold(struct dice *d, const struct terms *t)
{
	int64_t seconds = dice_in(d, 0, ONE_OF(d, 3, 100, 4000, 86400, 360000));
	int64_t rest = dice_one_in(d, 2) ? dice_in(d, 0, 999)
					 : t->hold_time_precision_ms + dice_in(d, -1, 1);

	return seconds * 1000 + rest;
}

static money_t random_budget(struct dice *d, money_t total)
{
	if (dice_one_in(d, 4) || total == MONEY_MAX)
		return dice_in(d, -1, 1000 * MONEY_ONE);
	return total + dice_in(d, -1, 1);
}

/* What packages give: to most calls nothing, to some about as much as they last. */
static struct given random_given(struct dice *d, int64_t hold_ms)
{
	if (!dice_one_in(d, 3))
		return (struct given){ 0 };
	return (struct given){ .seconds = ONE_OF(
				       d, 0, 1, dice_in(d, 0, 600),
				       hold_ms / 1000 + dice_in(d, -2, 2) > 0 ? hold_ms / 1000 : 0),
			       .money = dice_one_in(d, 2) ? random_price(d) : 0 };
}

static void put_charge(const struct terms *t, const struct given *g, int64_t hold_ms,
		       struct buf *out)
{
	struct charge c;

	if (charge_compute_given(t, g, hold_ms, &c) < 0) {
		buf_putz(out, "- - - -");
		return;
	}
	buf_printf(out, "%lld %lld ", (long long)c.hold_s, (long long)c.billed_s);
	buf_put_money(out, c.fee);
	buf_putc(out, ' ');
	buf_put_money(out, c.tax);
}

static void put_case(struct dice *d, FILE *to)
{
	char line[LINE];
	struct buf out = buf_fixed(line, sizeof(line));
	struct terms t = random_terms(d), back;
	int64_t hold_ms = random_hold(d, &t);
	struct given g = random_given(d, hold_ms);
	money_t budget = random_budget(d, charge_total_given(&t, &g, hold_ms));

	terms_put(&t, &out);
	assert_int_equal(terms_check(&t), 0);
	assert_int_equal(terms_parse(buf_str(&out), &back), 0);
	assert_memory_equal(&back, &t, sizeof(t));

	buf_printf(&out, "\t%lld %lld ", (long long)hold_ms, (long long)g.seconds);
	buf_put_money(&out, g.money);
	buf_putc(&out, ' ');
	put_charge(&t, &g, hold_ms, &out);
	buf_putc(&out, ' ');
	buf_put_money(&out, budget);
	buf_printf(&out, " %lld\n", (long long)charge_reach_given_ms(&t, &g, budget));
	assert_int_equal(buf_error(&out), 0);
	assert_int_equal(fwrite(line, 1, out.n, to), out.n);
}

static int64_t case_count(void)
{
	const char *text = getenv("RATING_CASES");
	int64_t n = CASES;

	if (text)
		assert_int_equal(str_to_i64(str_of(text), 1, CASES_MAX, &n), 0);
	return n;
}

static void random_charges_are_those_of_exact_fractions(void **state)
{
	(void)state;
	struct dice d = dice_new();
	FILE *to = popen(CHECK, "we");

	assert_non_null(to);
	for (int64_t n = case_count(); n > 0; n--)
		put_case(&d, to);
	assert_int_equal(pclose(to), 0);
}

static void the_oracle_knows_the_worked_cases(void **state)
{
	(void)state;
	FILE *to = popen(CHECK " tests/unit/rating/rating-cases.tsv", "we");

	assert_non_null(to);
	assert_int_equal(pclose(to), 0);
}

/* A check that can only say yes would prove nothing. */
static void the_oracle_sees_a_wrong_digit(void **state)
{
	(void)state;
	FILE *to = popen(CHECK " 2>/dev/null", "we");

	assert_non_null(to);
	assert_true(fputs("price=0.0123 unit=60 first=1 step=1 setup=0 sections=- tax=0 "
			  "precision=4 fee_unit=0 hold=50 free=0\t60000 0 0 60 60 0.0124 0 0 49\n",
			  to) >= 0);
	int status = pclose(to);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_oracle_knows_the_worked_cases),
		cmocka_unit_test(the_oracle_sees_a_wrong_digit),
		cmocka_unit_test(random_charges_are_those_of_exact_fractions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
