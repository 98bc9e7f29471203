/*
 * ranges: numbers that are allowed and numbers that are not, by prefix: the longest prefix that a
 * number begins with decides. Where none does, it is allowed unless only some are (there are
 * allowed prefixes). Immutable; any thread may read.
 */
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"

struct ranges;

/*
 * Comma separated prefixes (not kept). Both lists empty: *ret is NULL, which allows everything.
 * -EINVAL with *err (err->field is the caller's): not a prefix, or one that stands in both; -ENOMEM.
 */
int ranges_create(struct ranges **ret, struct str allow, struct str deny, struct err *err);
struct ranges *ranges_free(struct ranges *r);
DEFINE_CLEANUP(struct ranges *, ranges_free);

/* *ret_prefix: how much of the number the deciding prefix is; 0 if there is none. */
bool ranges_allows(const struct ranges *r, struct str number, size_t *ret_prefix);
