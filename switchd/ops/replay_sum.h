/*
 * replay_sum: what replayed calls come to: by the vendors that they go from and to, by vendor, and by currency.
 */
#pragma once

#include <jansson.h>

#include "base/clock.h"
#include "base/money.h"

struct replay_sum;

/* Where a call ends up; vendor NULL: nowhere. currency NULL: it costs nothing. Loans for the call of replay_sum_add. */
struct replay_end {
	const char *vendor, *currency;
	money_t cost;
};

struct replay_call {
	struct replay_end before, after;
	money_t income, income_after; /* of its customer, in */
	const char *currency;
	ms_t hold_ms;
	bool is_answered;
};

int replay_sum_create(struct replay_sum **ret);
struct replay_sum *replay_sum_free(struct replay_sum *s);
/* Sticky: -ENOMEM later says replay_sum_error. */
void replay_sum_add(struct replay_sum *s, const struct replay_call *c);
int replay_sum_error(const struct replay_sum *s);
/* Adds currencies, vendors and moves (most calls first, limit of each) to an object. */
void replay_sum_put(struct replay_sum *s, json_t *object, int64_t limit);
