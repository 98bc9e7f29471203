/*
 * hold: for how long calls to some numbers keep away from a vendor: because it asked for that (Retry-After of a 503), or
 * because it failed too often in a row (the circuit breaker). By route prefix: what a vendor has lost is one destination more
 * often than all.
 *
 * A breaker that opened lets one call through when its time is over; what becomes of that one decides.
 *
 * Any worker reads and writes. A fixed number of prefixes; one that finds no room is not held.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/str.h"

enum { HOLDS = 16, HOLD_RETRY_AFTER_MAX_S = 60, HOLD_TRIAL_MS = 30000 };

struct hold {
	_Atomic uint64_t key; /* of the prefix; 0 = free */
	_Atomic int64_t until_ms;
	_Atomic int64_t trial_ms;  /* when the one call was let through, 0 = none is under way */
	_Atomic uint32_t failures; /* in a row */
};

struct holds { /* starts as zeros */
	struct hold hold[HOLDS];
};

/* Never 0. */
uint64_t hold_key(struct str prefix);
/* Milliseconds until calls may go there again, 0 = now. */
ms_t hold_left(const struct holds *h, uint64_t key, ms_t now_ms);
/* The longest that any prefix is held. */
ms_t holds_longest(const struct holds *h, ms_t now_ms);
/* limit: failures in a row that open the breaker, 0 = none. False: it is open, and its one call is under way. */
bool hold_take_trial(struct holds *h, uint64_t key, uint32_t limit, ms_t now_ms);
/* A try is over. Failed ones open the breaker for pause_ms once there are `limit` in a row. */
void hold_failed(struct holds *h, uint64_t key, uint32_t limit, ms_t pause_ms, ms_t now_ms);
void hold_worked(struct holds *h, uint64_t key);
/* It says nothing about the vendor: the caller gave up. */
void hold_untold(struct holds *h, uint64_t key);
/* The vendor's Retry-After, seconds. */
void hold_asked(struct holds *h, uint64_t key, int64_t seconds, ms_t now_ms);
