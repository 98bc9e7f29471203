/*
 * reach: can a vendor be reached at one of its addresses, and are we registered there? One for each address of a routing
 * gateway, kept as long as the switch runs. Written by the one worker that asks (call/keeper.c), read by every thread.
 *
 * What counts (behaviour.md): any final answer to OPTIONS but 503 is up. Two failures in a row take an address out, two
 * answers in a row bring it back. One that never answered stays unprobed, in service: it may be deaf to OPTIONS alone.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/clock.h"

enum { REACH_FAILURES = 2, REACH_ANSWERS = 2 };

enum reach_health { REACH_UNPROBED, REACH_UP, REACH_DOWN };
/* REACH_ASKING: none stands and none was refused yet. */
enum reach_place { REACH_NO_PLACE, REACH_ASKING, REACH_REGISTERED, REACH_REFUSED };

struct reach {
	_Atomic int health;       /* enum reach_health */
	_Atomic int64_t since_ms; /* wall time of its last change */
	_Atomic int code;         /* the last final answer to OPTIONS; 0 = none came */
	_Atomic int failures;     /* in a row */
	_Atomic int place;        /* enum reach_place */
	_Atomic int place_error;  /* why it is refused: enrol_error_text */
	_Atomic int64_t place_since_ms;
	/* the prober's own */
	int answers; /* in a row */
	bool has_answered;
};

/* A probe is over: the final code, or 0 if none came. */
void reach_probed(struct reach *r, int code, ms_t wall_ms);
/* The last probe said something new: the next one should not wait for a whole period. */
bool reach_is_in_doubt(const struct reach *r);
/* Nobody probes it any more. */
void reach_forget(struct reach *r, ms_t wall_ms);
void reach_set_place(struct reach *r, enum reach_place place, int error, ms_t wall_ms);

/* May calls go there? */
bool reach_is_open(const struct reach *r, bool needs_registration);
const char *reach_health_name(enum reach_health h);
const char *reach_place_name(enum reach_place p);
