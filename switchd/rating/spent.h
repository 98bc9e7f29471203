/*
 * spent: what a spend rule has counted of an account: money and calls within the last minute, hour and
 * day, and whether a call may still be taken.
 *
 * Workers tell and ask, without a lock: two totals that only they raise, and two marks at which the
 * limit is reached. The main thread looks once a second (spent_look): it moves what was told since
 * into slots, so that the three windows slide, and sets the marks anew. Between two looks the marks
 * hold, so a burst is stopped at the call that reaches a limit, not a second later; and calls that are
 * not answered yet count with their first increment, so that not even a hundred at once pass it.
 *
 *	minute: 60 slots of 1 s		hour: 30 of 2 min	day: 48 of 30 min
 *
 * and one more each for the slot that is not over yet: a window is never shorter than its name says.
 * Slots are there only while something is in them. Time is passed in: seconds of a clock that does not
 * go back and that did not begin within the last two days.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/money.h"

enum spent_window { SPENT_MINUTE, SPENT_HOUR, SPENT_DAY, SPENT_WINDOWS };

struct spent_sum {
	money_t money;
	int64_t calls;
};

/* FIELD_ABSENT: none. */
struct spent_limits {
	struct spent_sum most[SPENT_WINDOWS];
	int64_t times;          /* what the last hour may be of an average one (spent_average) */
	struct spent_sum least; /* ... and below this it is never too much */
};

struct spent_slots;

struct spent {                    /* starts as zeros; then spent_init */
	_Atomic money_t money;    /* told so far */
	_Atomic int64_t calls;    /* the same */
	_Atomic money_t pending;  /* first increments of calls that are not answered */
	_Atomic money_t money_at; /* the total at which the limit is reached; INT64_MAX: never */
	_Atomic int64_t calls_at;
	_Atomic bool is_stopped; /* no new calls, whatever the totals */
	_Atomic bool cuts;       /* whoever is up ends when it is over */
	/* The main thread's own: */
	struct spent_sum seen; /* totals at the last look */
	struct spent_slots *slots;
};

void spent_init(struct spent *s);
void spent_done(struct spent *s);

/* ---- any thread ---- */
/* money may be below zero: less than was told before. */
void spent_tell(struct spent *s, money_t money, int64_t calls);
/* Is a limit reached? with_pending: by what is spent for sure, or by calls that may yet be answered as well. */
bool spent_is_over(const struct spent *s, bool with_pending);
/* A call that would cost so much at its answer; false, and nothing is taken: a limit is reached. */
bool spent_take(struct spent *s, money_t first);
/* It was answered and has told its cost, or is over. */
void spent_give(struct spent *s, money_t first);

/* ---- main thread ---- */
/* What was told since is put into the slots; true: something was. For want of memory it is tried again. */
bool spent_look(struct spent *s, int64_t now_s);
void spent_sum(const struct spent *s, enum spent_window w, struct spent_sum *ret);
/* An hour of those before the last one, within the day; false: there are fewer than 6 that anything was counted in the first of. */
bool spent_average(const struct spent *s, struct spent_sum *ret);
bool spent_is_empty(const struct spent *s);
/* Sets the marks. limits NULL: none that stops a call. */
void spent_mark(struct spent *s, const struct spent_limits *limits);
/* Which limit is reached? False: none. */
struct spent_excess {
	enum spent_window window;
	bool is_calls;
	bool is_average; /* times the average of the hour, which is in limit */
	int64_t limit;
};
bool spent_exceeds(const struct spent *s, const struct spent_limits *limits,
		   struct spent_excess *ret);
/* All windows begin anew. */
void spent_forget(struct spent *s);

/* "age:money:calls,..." of the hour's and day's slots, in seconds; what a restart need not forget. */
void spent_save(const struct spent *s, struct buf *out, int64_t now_s);
/* Into empty windows, when age_s more have passed. 0, -EINVAL for another text (nothing is kept), -ENOMEM. */
int spent_load(struct spent *s, struct str text, int64_t age_s, int64_t now_s);
