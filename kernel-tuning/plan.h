/*
 * plan: what the kernel should be set to beside what it is set to, and the way from there to here.
 *
 * A setting that the kernel does not have is a row like any other: reported, and no failure.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct plan;

#define PLAN_STATES(X)                                                                \
	X(RIGHT, "right")     /* as it should be */                                   \
	X(CHANGED, "changed") /* is now as it should be */                            \
	X(WOULD, "would")     /* would be changed, were this no dry run */            \
	X(DIFFERS, "differs") /* has another value, even after it was written */      \
	X(MISSING, "missing") /* this kernel has no such setting */                   \
	X(KEPT, "kept")       /* a driver keeps its own, which is its right */        \
	X(LOST, "lost")       /* packets were lost since the settings were applied */ \
	X(REFUSED, "refused") /* the kernel does not let us read or write it */

enum plan_state {
#define PLAN_ENUM(name, text) PLAN_##name,
	PLAN_STATES(PLAN_ENUM)
#undef PLAN_ENUM
		PLAN_COUNT
};

/*
 * Reads what is under ROOT/proc and ROOT/sys. media: "LOW-HIGH"; lines: calls that are expected at the
 * same time. 0; -EINVAL with *err if there is no /proc/sys; -ENOMEM.
 */
int plan_create(struct plan **ret, const char *root, const char *media, uint32_t lines,
		struct err *err);
struct plan *plan_free(struct plan *p);
DEFINE_CLEANUP(struct plan *, plan_free);

/*
 * Writes what differs and reads it back; or says what it would write. What was there before is kept in
 * ROOT/run, for plan_revert. 0; -ENOMEM; what that file cannot be written for.
 */
int plan_apply(struct plan *p, bool is_dry);
/*
 * Writes back what the first plan_apply since the machine's start found, and forgets it. is_dry: only
 * says so. 0, also if nothing was ever changed; -ENOMEM; what the file cannot be read for.
 */
int plan_revert(struct plan *p, bool is_dry);
/* Adds what the kernel has counted of lost packets since the last plan_apply. 0 or -ENOMEM. */
int plan_count_lost(struct plan *p);
/*
 * Sends packets as `lines` calls would for so many seconds (load.h), and adds what came of it. To be done
 * before plan_count_lost. 0 or negative errno.
 */
int plan_load(struct plan *p, uint32_t lines, uint32_t seconds);
/* How many rows are in that state. */
size_t plan_count(const struct plan *p, enum plan_state state);
/*
 * The rows as objects of key, wanted, was (before plan_apply), now, state, why and source; what the
 * kernel lacks has null for its values. All of them, or those with a fault. NULL: short of memory.
 */
json_t *plan_json(const struct plan *p, bool faults_only);
