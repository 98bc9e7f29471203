/*
 * suspend: a user at one source who guesses is not heard there for a while, right password or not; the same
 * user elsewhere, and others at that source, are (behaviour.md).
 *
 * One for the whole switch: any thread may call, without a lock. Bounded: the pair that was touched longest ago of those that
 * share its place makes room. Time is passed in (monotonic milliseconds).
 */
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "base/cleanup.h"

struct suspend;

enum { SUSPEND_MAX = 8192, SUSPEND_WRONG_MAX = 1000 };

/* 0 or -ENOMEM. */
int suspend_create(struct suspend **ret);
struct suspend *suspend_free(struct suspend *s);
DEFINE_CLEANUP(struct suspend *, suspend_free);

bool suspend_is_on(const struct suspend *s, struct str user, const struct addr *source,
		   int64_t now_ms);
/*
 * max wrong ones in a row (up to SUSPEND_WRONG_MAX), none more than for_ms after the one before, suspend for for_ms.
 * max 0: never.
 */
void suspend_wrong(struct suspend *s, struct str user, const struct addr *source, int64_t max,
		   int64_t for_ms, int64_t now_ms);
void suspend_right(struct suspend *s, struct str user, const struct addr *source);
