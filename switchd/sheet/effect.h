/*
 * effect: what the calls of the last week would have cost with a sheet, and without it. Bounded: of the newest calls only so many are
 * read; how many and since when is said.
 */
#pragma once

#include "rating/tariff.h"
#include "sheet/delta.h"

enum { EFFECT_CALLS_MAX = 200000 };

struct effect {
	int64_t calls, seconds; /* answered, that changed or not; talked, whole seconds a call */
	int64_t unrated;        /* of these, would find no rate any more */
	money_t before, after;
	ms_t since;  /* the oldest that was read */
	bool is_cut; /* there were more in the week */
};

struct effect_ask {
	const char *data_dir;
	const struct delta_ask *delta;
	const struct tariff_rules *rules;
	struct str route_prefix; /* what a vendor's numbers are rated behind */
	const atomic_bool *stop;
};

/*
 * d: switch.db. Rates the calls by the group's rates as they will be when all lines of the sheet are in force, and as they would be
 * then without it; sums it up, for each change of the delta too, and puts those that matter most first. 0 or negative errno with *err.
 */
int effect_find(struct effect *ret, struct db *d, const struct sheet *s, struct delta *p,
		const struct effect_ask *ask, struct err *err);
