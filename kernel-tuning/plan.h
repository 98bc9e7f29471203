/*
 * plan: what the kernel should be set to beside what it is set to, and the way from there to here.
 *
 * A setting that the kernel does not have is a row like any other: reported, and no failure.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"

struct plan;

#define PLAN_STATES(X)                                                           \
	X(RIGHT, "right")     /* as it should be */                              \
	X(CHANGED, "changed") /* is now as it should be */                       \
	X(WOULD, "would")     /* would be changed, were this no dry run */       \
	X(DIFFERS, "differs") /* has another value, even after it was written */ \
	X(MISSING, "missing") /* this kernel has no such setting */              \
	X(REFUSED, "refused") /* the kernel does not let us read or write it */

enum plan_state {
#define PLAN_ENUM(name, text) PLAN_##name,
	PLAN_STATES(PLAN_ENUM)
#undef PLAN_ENUM
		PLAN_COUNT
};

/*
 * Reads what is under ROOT/proc/sys. media: "LOW-HIGH", a loan for the plan's life. 0; -EINVAL with
 * *err if there is no /proc/sys; -ENOMEM.
 */
int plan_create(struct plan **ret, const char *root, const char *media, struct err *err);
struct plan *plan_free(struct plan *p);
DEFINE_CLEANUP(struct plan *, plan_free);

/* Writes what differs and reads it back; or says what it would write. 0 or -ENOMEM. */
int plan_apply(struct plan *p, bool is_dry);
/* How many rows are in that state. */
size_t plan_count(const struct plan *p, enum plan_state state);
/*
 * The rows as objects of key, wanted, was (before plan_apply), now, state, why and source; what the
 * kernel lacks has null for its values. All of them, or those with a fault. NULL: short of memory.
 */
json_t *plan_json(const struct plan *p, bool faults_only);
