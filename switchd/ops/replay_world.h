/*
 * replay_world: the configuration as it is, and as it would be with some changes, each compiled into a world of its own that no call
 * sees: vendors are up and have no line in use, everybody has money, and rates reach back to a moment. Read from a connection of its
 * own and used on one thread: the switch's world and its live things are not touched.
 */
#pragma once

#include "base/htab.h"
#include "call/inquiry.h"
#include "ops/what_if.h"
#include "store/db.h"

/* What is wished, copied from a request on the main thread. */
struct wishes {
	int count;
	char *text[WHAT_IF_MAX]; /* owned */
};

struct replay_world {
	struct db *db;               /* a loan until replay_world_done */
	struct directory *directory; /* lists, areas and transforms of both worlds */
	struct htab things;          /* gates and tariffs, by kind and name */
	struct params *params;       /* as they are */
	struct purse *purse;
	struct reach *reach;
	ms_t from; /* rates that ended before are left out, as of LOAD_PAST_MS */
	struct world *base, *draft;
	struct assumption assume[WHAT_IF_MAX]; /* of the draft */
	size_t assumed;
};

/*
 * params is taken, also when it fails. Rates of a million lines take seconds. 0, or negative with *err, -EINVAL for a wish that makes no
 * sense; replay_world_done in any case. w starts as zeros.
 */
int replay_world_open(struct replay_world *w, struct db *db, struct params *params, ms_t from,
		      const struct wishes *wishes, struct err *err);
void replay_world_done(struct replay_world *w);
