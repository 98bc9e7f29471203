/*
 * transform: rules that rewrite a number: "from:to" pairs, the longest matching `from` wins; among
 * equally long ones the first. (features.md §4.1)
 *
 *	0:0                      02584316146 -> 02584316146
 *	010:025                  01012345678 -> 02512345678    what follows stays
 *	025:                     02584316146 -> 84316146
 *	*:025*                   117         -> 025117
 *	12345?78:99999999        12345178    -> 99999999
 *	9*:100                   9123        -> 100            the rest is dropped
 *
 * `from` is a prefix. In it '?' stands for exactly one digit, and a '*' at its end for all that
 * follows, which `to` takes over where it has a '*'. Without that '*' what follows stays behind
 * `to`. An empty `from` adds `to` in front. The star key itself is written '\*' on either side.
 *
 * Only numbers are rewritten: what holds anything besides 0-9 * # + (a caller's name, "anonymous")
 * stays as it is. Immutable; any thread may read.
 */
#pragma once

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"

struct transform;

enum { TRANSFORM_RULES_MAX = 1024, TRANSFORM_NUMBER_MAX = 40 };

/*
 * text: comma separated rules; empty = none. -EINVAL with *err naming the rule (err->field is the
 * caller's to fill); -ENOMEM.
 */
int transform_create(struct transform **ret, struct str text, struct err *err);
/* Regular expressions (pattern.h) for the numbers that no rule fits. The same errors. */
int transform_add_expressions(struct transform *t, struct str text, struct err *err);
struct transform *transform_free(struct transform *t);
DEFINE_CLEANUP(struct transform *, transform_free);

/*
 * Writes the number as rewritten, once: what came out is not looked up again, so rules that lead to
 * each other do no harm (t may be NULL: as it is). 0; -EINVAL and nothing written if the result is
 * empty or over 40 characters, or an expression was cut off; else buf_error(out). Takes rules ×
 * number at most.
 */
int transform_apply(const struct transform *t, struct str number, struct buf *out);
/*
 * How many characters of the number, which holds none besides 0-9 * # +, decide the first n (at least 1) of what is made of it, and
 * that anything is: any other that begins with as many of its characters comes to the same, unless it grows too long.
 * number.n + 1: its end decides, too.
 */
size_t transform_reach(const struct transform *t, struct str number, size_t n);
/* By how many characters a number may grow. */
size_t transform_growth(const struct transform *t);
