/*
 * share: the agents above the account that a call is charged to, the nearest first (spec/rating.md: "an agent by its own"). Each is
 * charged by its own rates, with its own increments, for the same talk; what the one below was charged less that is its income. An agent
 * without rates of its own is charged what the one below is, and earns nothing.
 *
 * A record keeps them as one line of JSON, so that what was booked can be replayed:
 * [{"agent":"west","prefix":"880","version":3,"terms":"price=... free=0","billed_s":61,"charge":610000,"income":200000}, ...], money in 1e-8.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rating/terms.h"

/* How deep the tree may be: agents above one account. */
enum { SHARES_MAX = 5, SHARE_PREFIX = 40, SHARES_TEXT_MAX = 16384 };

struct share {
	char *agent;
	bool is_rated; /* prefix, version and terms are those of its own rate */
	char prefix[SHARE_PREFIX + 1];
	int64_t version;
	struct terms terms;
	int64_t billed_s; /* 0 without rates of its own */
	money_t charge;   /* tax included */
	money_t income;   /* may be negative: it sold below its own rates */
};

struct shares {
	int count;
	struct share of[SHARES_MAX];
};

/* The next one up. -ENOSPC: there are SHARES_MAX; -ENOMEM. */
int shares_add(struct shares *s, const char *agent);
/* Frees the names; it is then empty. */
void shares_done(struct shares *s);
/* What a talk of hold_ms comes to, of which the account was charged `charged`. 0; -ERANGE if a sum does not fit: nothing was changed then. */
int shares_compute(struct shares *s, money_t charged, int64_t hold_ms);
/* Income of all of them, which is what the account was charged less the charge of the last. */
money_t shares_income(const struct shares *s);

void shares_put(const struct shares *s, struct buf *out);
/* *ret was empty, and is if it fails. -EINVAL: not such a text, or terms that could not be; -ENOMEM. */
int shares_parse(struct str text, struct shares *ret);
