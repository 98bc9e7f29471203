/*
 * quota: what has gone by a vendor on a day: calls, time and money, against its daily limits. Days are numbered by the caller (its
 * zone's); another day begins at nothing. Any worker reads and writes.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/money.h"

struct quota { /* starts as zeros */
	_Atomic int64_t day;
	_Atomic int64_t calls, talk_ms, money;
};

struct quota_limit { /* 0 = none */
	int64_t calls, minutes;
	money_t money;
};

void quota_add(struct quota *q, int64_t day, int64_t calls, ms_t talk_ms, money_t money);
/* The name of the limit that is used up, as entities.tsv calls it; NULL: none is. */
const char *quota_used_up(const struct quota *q, int64_t day, const struct quota_limit *limit);
