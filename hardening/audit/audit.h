/* audit: the controls that were asked for, each with what was found. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "tree.h"

struct audit;

#define AUDIT_STATES(X)                                                                     \
	X(PASSED, "passed")                                                                 \
	X(FAILED, "failed")                                                                 \
	X(FIXED, "fixed")     /* was wrong and is now right */                              \
	X(SKIPPED, "skipped") /* nothing of the sort here, or it takes a running machine */ \
	X(UNKNOWN, "unknown") /* could not be looked at */

enum audit_state {
#define AUDIT_ENUM(name, text) AUDIT_##name,
	AUDIT_STATES(AUDIT_ENUM)
#undef AUDIT_ENUM
		AUDIT_COUNT
};

/*
 * ids: whole ones or the part before the dash, NULL-terminated; empty: all. 0; -EINVAL with *err for
 * one that there is not; -ENOMEM.
 */
int audit_create(struct audit **ret, const char *const *ids, struct err *err);
struct audit *audit_free(struct audit *a);
DEFINE_CLEANUP(struct audit *, audit_free);

/* 0 or -ENOMEM: what cannot be looked at is a state of its control. */
int audit_check(struct audit *a, const struct tree *t, bool may_fix);
/* How many controls are in that state. */
size_t audit_count(const struct audit *a, enum audit_state state);
/*
 * Objects of id, kind, title, state, found, why, fix, source; all of them, or only those that failed
 * or are unknown. NULL: short of memory.
 */
json_t *audit_json(const struct audit *a, bool faults_only);
