/*
 * screen: which numbers may call and be called by a gateway, a phone or an account: number lists
 * (whole matches) and prefixes. What an entity has of them is found by the names of its fields.
 *
 * A number of the system white list passes every one of them (features.md §4.3).
 */
#pragma once

#include "model/entity.h"
#include "model/reason.h"
#include "number/lengths.h"
#include "number/numlist.h"
#include "number/ranges.h"

struct inquiry;
struct world_input;

enum screen_side { SCREEN_CALLEE, SCREEN_CALLER, SCREEN_SIDES };

struct screen_list {
	const struct numlist *list; /* NULL: none. The directory's */
	const char *name;           /* the row's */
};

struct screen {
	struct screen_list black[SCREEN_SIDES], white[SCREEN_SIDES];
	struct ranges *ranges[SCREEN_SIDES];
	uint64_t lengths[SCREEN_SIDES]; /* lengths.h */
};

/* The prefixes and lengths of a row. -EINVAL with *err naming the field; -ENOMEM. */
int screen_compile(struct screen *s, const struct entity *e, const void *row, struct err *err);
/* The lists that the row names; it must live as long as the screen. */
void screen_link(struct screen *s, const struct entity *e, const void *row,
		 const struct world_input *in);
void screen_done(struct screen *s);

/*
 * REASON_NONE: the billed numbers pass. Else a line of the trail says which list, prefix or length it was;
 * who: whose it is; verdict: "refuse" or "skip".
 */
enum reason screen_check(const struct screen *s, struct inquiry *q, const char *who,
			 const char *verdict);
