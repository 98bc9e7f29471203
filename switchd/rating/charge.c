#include "rating/charge.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>

/* Step 1. */
static int64_t hold_seconds(const struct terms *t, int64_t hold_ms)
{
	return hold_ms / 1000 + (hold_ms % 1000 >= t->hold_time_precision_ms);
}

int64_t charge_billable_s(const struct terms *t, int64_t hold_ms)
{
	int64_t billable = hold_seconds(t, hold_ms) - t->free_time_s;

	return billable > 0 ? billable : 0;
}

/* Step 3. */
static int64_t billed_seconds(const struct terms *t, int64_t billable)
{
	if (billable <= 0)
		return 0;
	if (billable <= t->first_s)
		return t->first_s;

	int64_t steps = (billable - t->first_s + t->step_s - 1) / t->step_s;
	return t->first_s + steps * t->step_s;
}

/*
 * Step 4, times unit_s: the common denominator of all sections, so the sum is a whole number. first: where the sections count the
 * first charged second, 0 unless they are of the talk.
 */
static int128_t fee_numerator(const struct terms *t, int64_t first, int64_t billed_s)
{
	int128_t sum = (int128_t)t->setup_fee * t->unit_s;
	money_t price = t->price;
	int64_t from = first, end = first + billed_s;

	if (billed_s == 0)
		return 0;
	for (int i = 0; i < t->section_count && t->section[i].start_s < end; i++) {
		if (t->section[i].start_s > from) {
			sum += (int128_t)(t->section[i].start_s - from) * price;
			from = t->section[i].start_s;
		}
		price = t->section[i].price;
	}
	return sum + (int128_t)(end - from) * price;
}

/* Step 5. */
static money_t quantum(const struct terms *t)
{
	if (t->fee_unit > 0)
		return t->fee_unit;
	return t->fee_precision > 0 ? money_unit((int)t->fee_precision) : 1;
}

/* Step 6. A percent is a hundredth, and tax_percent is in units of 1e-8. */
static int add_tax(const struct terms *t, struct charge *c)
{
	money_t total;
	int r = money_round((int128_t)c->fee * t->tax_percent, (int128_t)100 * MONEY_ONE,
			    t->tax_unit > 0 ? t->tax_unit : quantum(t), &c->tax);

	return r < 0 ? r : money_add(c->fee, c->tax, &total);
}

int charge_compute_given(const struct terms *t, const struct given *g, int64_t hold_ms,
			 struct charge *ret)
{
	static const struct given none;

	assert(hold_ms >= 0);
	if (!g)
		g = &none;

	struct charge c = { .hold_s = hold_seconds(t, hold_ms) };

	c.billed_s = billed_seconds(t, charge_billable_s(t, hold_ms) - g->seconds);
	int64_t first = t->is_of_talk ? t->free_time_s + g->seconds : 0;
	int r = money_round(fee_numerator(t, first, c.billed_s), t->unit_s, quantum(t), &c.fee);
	if (r == 0) {
		c.fee = c.fee > g->money ? c.fee - g->money : 0;
		r = add_tax(t, &c);
	}
	if (r < 0)
		return r;
	*ret = c;
	return 0;
}

int charge_compute(const struct terms *t, int64_t hold_ms, struct charge *ret)
{
	return charge_compute_given(t, NULL, hold_ms, ret);
}

money_t charge_total_given(const struct terms *t, const struct given *g, int64_t hold_ms)
{
	struct charge c;

	return charge_compute_given(t, g, hold_ms, &c) < 0 ? MONEY_MAX : c.fee + c.tax;
}

money_t charge_total(const struct terms *t, int64_t hold_ms)
{
	return charge_total_given(t, NULL, hold_ms);
}

static bool covers(const struct terms *t, const struct given *g, money_t budget, int64_t hold_ms)
{
	struct charge c;

	return charge_compute_given(t, g, hold_ms, &c) == 0 && c.fee + c.tax <= budget;
}

/* Bisection instead of the formula turned round: it cannot disagree with what is charged. */
int64_t charge_reach_given_ms(const struct terms *t, const struct given *g, money_t budget)
{
	int64_t covered = 0, too_long = CHARGE_HOLD_MAX_MS;

	if (budget < 0)
		return -1;
	if (covers(t, g, budget, CHARGE_HOLD_MAX_MS))
		return INT64_MAX;
	while (too_long - covered > 1) {
		int64_t middle = covered + (too_long - covered) / 2;

		if (covers(t, g, budget, middle))
			covered = middle;
		else
			too_long = middle;
	}
	return covered;
}

int64_t charge_reach_ms(const struct terms *t, money_t budget)
{
	return charge_reach_given_ms(t, NULL, budget);
}
