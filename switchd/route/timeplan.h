/*
 * timeplan: a route-plan compiled: is it in force at this moment for this call? The days and hours are those of its own zone; what
 * passes midnight belongs to the day on which it began.
 *
 * Immutable; any thread may read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "base/zone.h"
#include "model/entity.h"

struct timeplan;

/* row is a loan that must outlive it. 0; -EINVAL with *err for a field that makes no sense; -ENOMEM. */
int timeplan_create(struct timeplan **ret, const struct route_plan_row *row, struct err *err);
struct timeplan *timeplan_free(struct timeplan *p);
DEFINE_CLEANUP(struct timeplan *, timeplan_free);

const struct route_plan_row *timeplan_row(const struct timeplan *p);
bool timeplan_is_in_force(const struct timeplan *p, ms_t wall_ms);
/*
 * The next moment after `at` at which it begins or ends to be in force; `until` (at most three days on) if there is none before.
 */
ms_t timeplan_next(const struct timeplan *p, ms_t at, ms_t until);
bool timeplan_is_about(const struct timeplan *p, struct str caller, struct str callee);

/* What the plans of a gateway come to. */
struct timeplan_verdict {
	bool is_denied;
	const char *plan;   /* that decided; NULL: none is in force */
	int64_t priority;   /* FIELD_ABSENT: the gateway's own */
	int64_t line_limit; /* the same */
};

/* The first of n that is in force and about this call decides; with one that allows among them, no calls at other times. */
void timeplan_decide(struct timeplan *const *plans, int n, ms_t wall_ms, struct str caller,
		     struct str callee, struct timeplan_verdict *ret);

/* A zone by its name, "" is UTC; field: named in *err. */
int timeplan_zone(struct zone **ret, const char *name, const char *field, struct err *err);
