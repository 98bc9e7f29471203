/*
 * blacklist: numbers that the switch itself keeps out for a while, and the counts that bring them
 * there: calls of one number in a time, unanswered calls in a row, calls at the same time.
 *
 * One for the whole switch: any thread may ask and count, without a lock and in O(1). Bounded: of
 * those that share a set of places the one that was touched longest ago makes room. Time is passed
 * in, in seconds, and may be of any clock that does not go back.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/str.h"

enum { BLACKLIST_MAX = 65536, BLACKLIST_COUNT_MAX = 1000000, BLACKLIST_DIGITS = 41 };

enum blacklist_side { BLACKLIST_CALLER, BLACKLIST_CALLEE };
enum blacklist_count { COUNT_CALLS, COUNT_UNANSWERED };

/* A number that was put on the list by a count, told to whoever keeps it (blacklist_news). */
struct blacklisted {
	struct blacklisted *next;
	enum blacklist_side side;
	const char *type; /* a literal */
	int64_t for_s;
	char number[BLACKLIST_DIGITS];
};

struct blacklist;

/* 0 or -ENOMEM. */
int blacklist_create(struct blacklist **ret);
struct blacklist *blacklist_free(struct blacklist *b);
DEFINE_CLEANUP(struct blacklist *, blacklist_free);

/* Seconds that it stays listed; 0: it is not. */
int64_t blacklist_left(const struct blacklist *b, enum blacklist_side side, struct str number,
		       int64_t now_s);
void blacklist_add(struct blacklist *b, enum blacklist_side side, struct str number, int64_t for_s,
		   int64_t now_s);
void blacklist_del(struct blacklist *b, enum blacklist_side side, struct str number);

/* One event more; true: it is the limit-th within window_s of the first of them, and the count begins anew. */
bool blacklist_count(struct blacklist *b, enum blacklist_count what, struct str number,
		     int64_t limit, int64_t window_s, int64_t now_s);
/* The count begins anew: it was answered. */
void blacklist_forget(struct blacklist *b, enum blacklist_count what, struct str number);
/* A call was kept out; and how many were, the last of them when. False: none, or it is forgotten. */
void blacklist_hit(struct blacklist *b, enum blacklist_side side, struct str number, int64_t now_s);
bool blacklist_hits(const struct blacklist *b, enum blacklist_side side, struct str number,
		    int64_t *ret_calls, int64_t *ret_last_s);
/* A call of that number begins, or ends. blacklist_begin: how many it has now. */
int64_t blacklist_begin(struct blacklist *b, struct str number, int64_t now_s);
void blacklist_end(struct blacklist *b, struct str number);

/* Tells of one that was listed; memory running short loses the note, not the block. */
void blacklist_tell(struct blacklist *b, enum blacklist_side side, const char *type,
		    struct str number, int64_t for_s);
/* What was told since, newest first; the caller frees each. One thread. */
struct blacklisted *blacklist_news(struct blacklist *b);
