/*
 * tally: an alarm about things that happen, as against one about how things are. It has no cause that could end: it is over
 * when somebody has seen to it, or when nothing more happened for an hour.
 *
 * Time is passed in (monotonic milliseconds), never read here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { TALLY_QUIET_MS = 3600000 };

struct tally {          /* starts as zeros */
	uint64_t total; /* as it was looked at last */
	uint64_t seen;  /* what of it is over */
	int64_t changed_ms;
};

/* The counter stands at total: how many of them the alarm is about, 0 = there is none. */
uint64_t tally_look(struct tally *t, uint64_t total, int64_t now_ms);
/* What has happened so far is over. */
void tally_end(struct tally *t);
