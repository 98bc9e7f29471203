/*
 * reconcile: our records of a time against a partner's list of the same calls, by number and time; what differs, by its cause.
 *
 * A vendor's list is compared with what we were charged (cost), a customer's with what we charge. A cause is what explains the whole of a
 * difference, the simplest first: missing_here, missing_there, zone (the same call a whole number of quarters of an hour away), duration,
 * rounding (the seconds differ as increments or a second do), tax (the amount is ours without its tax), rate (the same seconds, another
 * amount).
 */
#pragma once

#include <jansson.h>
#include <stdatomic.h>

#include "base/err.h"
#include "base/zone.h"

struct reconcile_ask {
	struct str file, map;
	struct str account; /* theirs: of a vendor (clearing) or of a customer */
	bool is_vendor;
	const struct zone *zone; /* of times without an offset */
	int64_t tolerance_s, tail;
	ms_t from, to; /* FIELD_ABSENT: those of the file */
	int64_t limit; /* differences that are listed; all are counted */
};

/* {calls, records, matched, unreadable, causes: {cause: {calls, seconds, amount}}, rows: [difference], is_cut}. 0; -EINVAL with *err; -ECANCELED. */
int reconcile_run(const char *data_dir, const struct reconcile_ask *ask, const atomic_bool *stop,
		  json_t **ret, struct err *err);
