/*
 * replayer: calls of the past routed again, by the code that calls use (call/admit.c, call/choose.c), in worlds of its own
 * (replay_world.h) on one of the clerk's threads. For each record: does the configuration as it is come to the vendors that the call
 * went to, and where would it go with the changes?
 *
 * What nobody can know afterwards is taken from the record: a vendor that was passed over then, though nothing in the configuration keeps
 * it away, is passed over again (its lines were in use, it was down); one that had failed fails again. A call that goes to another
 * vendor is taken to be answered as it was, and to last as long.
 */
#pragma once

#include <jansson.h>
#include <stdatomic.h>

#include "ops/replay_world.h"

struct replayer {
	const char *data_dir;
	ms_t from, to;           /* of the beginning of calls; to FIELD_ABSENT = now */
	char *account, *gateway; /* NULL: all */
	int64_t records, limit;
	struct wishes wishes;
	struct params *params; /* as they are; replayer_run takes it */
};

/* 0 with *ret; -EINVAL with *err; -ECANCELED; other negative errno with *err. */
int replayer_run(struct replayer *what, const atomic_bool *stop, json_t **ret, struct err *err);
