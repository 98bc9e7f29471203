/*
 * gift: what the packages of an account give one call, part by part in the order of application (features.md §21.2).
 *
 * While the call is up a part says what is held for it: seconds and used_s are the same. gift_settle leaves what the call has come
 * to: seconds that are not charged, used_s of the package's volume that this takes (by its own step), and money.
 */
#pragma once

#include "base/buf.h"
#include "rating/charge.h"

enum { GIFT_PARTS = 8 };

struct gift_part {
	int64_t allowance; /* number of the package's period in the ledger */
	int64_t seconds;
	int64_t used_s;
	int64_t step_s; /* in which the volume is used up */
	money_t money;
};

struct gift {
	int count;
	struct gift_part part[GIFT_PARTS];
};

void gift_sum(const struct gift *g, struct given *ret);
/*
 * Leaves of each part what a call of hold_ms takes, seconds first, money of the fee that remains; and the charge. The parts of a
 * settled gift settle to themselves. 0 or -ERANGE.
 */
int gift_settle(struct gift *g, const struct terms *t, int64_t hold_ms, struct charge *ret);

/* The text that journal and record keep: "17=61/120/60/0.5 ...": seconds, used, step, money; "" for none. */
void gift_put(const struct gift *g, struct buf *out);
/* The same back. 0 or -EINVAL. */
int gift_parse(struct str text, struct gift *ret);
