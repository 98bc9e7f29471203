/*
 * period: the day, month or year of a wall clock that a moment lies in, so that a fee falls due once in each.
 */
#pragma once

#include "base/zone.h"

enum period_unit { PERIOD_DAY, PERIOD_MONTH, PERIOD_YEAR, PERIOD_ONCE };

struct period {
	ms_t begins, ends; /* UTC; of PERIOD_ONCE all of time */
};

/*
 * zone NULL: UTC. Every moment lies in exactly one period, and each ends where the next begins, across any change of the clock. at:
 * of the years 1970 to 9999.
 */
void period_at(const struct zone *zone, enum period_unit unit, ms_t at, struct period *ret);
