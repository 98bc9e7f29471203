#include "rating/charge.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>

static const money_t power_of_ten[] = { 1,      10,      100,      1000,     10000,
					100000, 1000000, 10000000, 100000000 };

enum { DECIMALS = 8 };

/* Step 1. */
static int64_t hold_seconds(const struct terms *t, int64_t hold_ms)
{
	return hold_ms / 1000 + (hold_ms % 1000 >= t->hold_time_precision_ms);
}

/* Steps 2 and 3. */
static int64_t billed_seconds(const struct terms *t, int64_t hold_s)
{
	int64_t billable = hold_s - t->free_time_s;

	if (billable <= 0)
		return 0;
	if (billable <= t->first_s)
		return t->first_s;

	int64_t steps = (billable - t->first_s + t->step_s - 1) / t->step_s;
	return t->first_s + steps * t->step_s;
}

/* Step 4, times unit_s: the common denominator of all sections, so the sum is a whole number. */
static int128_t fee_numerator(const struct terms *t, int64_t billed_s)
{
	int128_t sum = (int128_t)t->setup_fee * t->unit_s;
	money_t price = t->price;
	int64_t from = 0;

	if (billed_s == 0)
		return 0;
	for (int i = 0; i < t->section_count && t->section[i].start_s < billed_s; i++) {
		sum += (int128_t)(t->section[i].start_s - from) * price;
		from = t->section[i].start_s;
		price = t->section[i].price;
	}
	return sum + (int128_t)(billed_s - from) * price;
}

/* Step 5. */
static money_t quantum(const struct terms *t)
{
	if (t->fee_unit > 0)
		return t->fee_unit;
	return t->fee_precision > 0 ? power_of_ten[DECIMALS - t->fee_precision] : 1;
}

/* Step 6. A percent is a hundredth, and tax_percent is in units of 1e-8. */
static int add_tax(const struct terms *t, struct charge *c)
{
	money_t total;
	int r = money_round((int128_t)c->fee * t->tax_percent, (int128_t)100 * MONEY_ONE,
			    quantum(t), &c->tax);

	return r < 0 ? r : money_add(c->fee, c->tax, &total);
}

int charge_compute(const struct terms *t, int64_t hold_ms, struct charge *ret)
{
	assert(hold_ms >= 0);

	struct charge c = { .hold_s = hold_seconds(t, hold_ms) };

	c.billed_s = billed_seconds(t, c.hold_s);
	int r = money_round(fee_numerator(t, c.billed_s), t->unit_s, quantum(t), &c.fee);
	if (r == 0)
		r = add_tax(t, &c);
	if (r < 0)
		return r;
	*ret = c;
	return 0;
}

money_t charge_total(const struct terms *t, int64_t hold_ms)
{
	struct charge c;

	return charge_compute(t, hold_ms, &c) < 0 ? MONEY_MAX : c.fee + c.tax;
}

static bool covers(const struct terms *t, money_t budget, int64_t hold_ms)
{
	struct charge c;

	return charge_compute(t, hold_ms, &c) == 0 && c.fee + c.tax <= budget;
}

/* Bisection instead of the formula turned round: it cannot disagree with what is charged. */
int64_t charge_reach_ms(const struct terms *t, money_t budget)
{
	int64_t covered = 0, too_long = CHARGE_HOLD_MAX_MS;

	if (budget < 0)
		return -1;
	if (covers(t, budget, CHARGE_HOLD_MAX_MS))
		return INT64_MAX;
	while (too_long - covered > 1) {
		int64_t middle = covered + (too_long - covered) / 2;

		if (covers(t, budget, middle))
			covered = middle;
		else
			too_long = middle;
	}
	return covered;
}
