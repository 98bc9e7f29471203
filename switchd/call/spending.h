/*
 * spending: the spend rules in a call (security.md B9, field-lessons C14). A call tells what it has
 * cost so far, from its answer on and while it is up, so that a rule sees calls that are not over; and
 * it is refused, or ended, when a rule is beyond its limit.
 */
#pragma once

#include "call/inquiry.h"

struct call;

/* A step of admission. White and free numbers are counted and never refused. */
enum reason admit_spend(struct inquiry *q);
/* The call has lasted so long. False: a rule wants it to end. */
bool spending_look(struct call *c, int64_t age_ms);
/* When to look next; INT64_MAX: nobody counts. */
ms_t spending_next(const struct call *c, ms_t now_ms);
/* It is over and has cost that much in all. */
void spending_end(struct call *c, money_t charged);
