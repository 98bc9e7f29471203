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
