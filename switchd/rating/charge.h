/*
 * charge: the arithmetic of a call (spec/rating.md, steps 1 to 6): exact rationals, one rounding.
 *
 * All terms must have passed terms_check. A longer call never costs less.
 */
#pragma once

#include <stdint.h>

#include "rating/terms.h"

struct charge {
	int64_t hold_s;
	int64_t billed_s;
	money_t fee;
	money_t tax;
};

/* What packages give a call: seconds that are not charged, and money that pays its fee. */
struct given {
	int64_t seconds;
	money_t money;
};

/* Step 2: the seconds that are rated, before any increment and before packages. */
int64_t charge_billable_s(const struct terms *t, int64_t hold_ms);
/*
 * The same arithmetic with what packages give: their seconds are taken off as free_time_s is, their money off the rounded fee,
 * and tax is of what is left. NULL: nothing.
 */
int charge_compute_given(const struct terms *t, const struct given *g, int64_t hold_ms,
			 struct charge *ret);
money_t charge_total_given(const struct terms *t, const struct given *g, int64_t hold_ms);
int64_t charge_reach_given_ms(const struct terms *t, const struct given *g, money_t budget);

/* hold_ms >= 0. 0, or -ERANGE if fee + tax does not fit. */
int charge_compute(const struct terms *t, int64_t hold_ms, struct charge *ret);
/* fee + tax, or MONEY_MAX where it does not fit. */
money_t charge_total(const struct terms *t, int64_t hold_ms);

enum { CHARGE_HOLD_MAX_MS = 86400000 };

/*
 * The longest hold_ms whose charge is at most `budget`: how long a call may last on that money.
 * INT64_MAX if even CHARGE_HOLD_MAX_MS is covered (what costs nothing ever is); -1 if not even
 * hold_ms = 0 is, which is so for a negative budget only.
 */
int64_t charge_reach_ms(const struct terms *t, money_t budget);
