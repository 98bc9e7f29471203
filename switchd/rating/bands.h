/*
 * bands: peak and off-peak (behaviour.md, Money). While one of the time plans of a rate group is in force, calls are rated by the
 * group that it names for those hours; the plans have the zone.
 *
 * band_mode=start: the rate in force at the answer rates the whole call. split: the prices of both change at each boundary, as
 * sections of the talk, so that a record keeps all that a replay needs.
 */
#pragma once

#include "rating/tariff.h"
#include "route/timeplan.h"

enum { BANDS_PLANS = 4 };

struct bands {
	const struct timeplan *plan[BANDS_PLANS]; /* loans */
	int plans;
	const struct tariff *off; /* off-peak rates; NULL: there are none */
};

bool bands_are_off_peak(const struct bands *b, ms_t wall_ms);
/* The next moment after `at` at which that changes; `until` if it does not before. At most three days on. */
ms_t bands_next(const struct bands *b, ms_t at, ms_t until);

/* The rate of a number at that moment, and whose it is. */
struct banded {
	const struct tariff *tariff;
	const struct rate *rate; /* NULL: none is in force */
};
/*
 * own: the group's own rates; b may be NULL. Off-peak the rate of the other group, if it has one that is not locked. A number that
 * the own group has no rate for, or a locked one, has none at any hour. *span as tariff_find_span has it, and no further than the band.
 * ret_terms: with the sections of a call that is answered then; untouched without a rate.
 */
struct banded bands_find(const struct bands *b, const struct tariff *own, struct str number,
			 struct str caller, ms_t wall_ms, struct tariff_span *span,
			 struct terms *ret_terms);
