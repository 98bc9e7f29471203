/*
 * areas: what numbers are called by their longest prefix: "44" UK, "4420" London (features.md §4.2).
 * Immutable; any thread may read.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/str.h"

struct areas;

/* What it is made from, one area at a time; for a million of them. */
struct areas_draft {
	struct buf text;  /* prefix NUL name NUL, one behind the other */
	struct buf where; /* struct areas_at of each */
};

/* Sticky errors, as of buf. */
void areas_add(struct areas_draft *d, struct str prefix, struct str name);
void areas_draft_done(struct areas_draft *d);
static inline void areas_draft_done_cleanup(struct areas_draft *d)
{
	areas_draft_done(d);
}

/* Takes what the draft holds. 0; -EINVAL (not a prefix), -EEXIST, -ENOMEM. */
int areas_create(struct areas **ret, struct areas_draft *d);
struct areas *areas_free(struct areas *a);
DEFINE_CLEANUP(struct areas *, areas_free);

/* NULL: it is in none, or there are none (a NULL). */
const char *areas_find(const struct areas *a, struct str number);
