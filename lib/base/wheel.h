/*
 * wheel: a hierarchical timer wheel. A timer is a field of its owner; start and stop are O(1).
 *
 * Belongs to one thread. Time is passed in (monotonic milliseconds), never read here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct timer;
typedef void timer_fn(struct timer *t, int64_t now_ms);

struct timer {
	struct list node;
	int64_t at_ms; /* monotonic */
	timer_fn *on_expire;
};

enum { WHEEL_LEVELS = 5, WHEEL_SLOTS = 64 };

struct wheel {
	int64_t now_ms;
	uint64_t used[WHEEL_LEVELS]; /* a bit for each slot that may hold timers */
	struct list slot[WHEEL_LEVELS][WHEEL_SLOTS];
};

void wheel_init(struct wheel *w, int64_t now_ms);
void timer_init(struct timer *t, timer_fn *on_expire);
/*
 * (Re)starts; a time that has passed expires at the next wheel_advance. Timers beyond the wheel's
 * span (about 12 days) are kept and re-filed.
 */
void timer_start(struct wheel *w, struct timer *t, int64_t at_ms);
/* Harmless if it does not run. */
void timer_stop(struct timer *t);
static inline bool timer_is_running(const struct timer *t)
{
	return t->node.next != &t->node;
}
/*
 * Runs what is due, in order of time slots; a timer is stopped before its function is called and
 * may be restarted or freed there.
 */
void wheel_advance(struct wheel *w, int64_t now_ms);
/* Milliseconds until wheel_advance may have something to do: 0 and up, or -1 if nothing runs. */
int64_t wheel_wait_ms(struct wheel *w, int64_t now_ms);
