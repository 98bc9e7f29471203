/*
 * pattern: regular expressions that rewrite a number: "/expression/replacement/ ...", the first that
 * matches acts; what it matched is replaced, what stands before and behind stays.
 *
 *	/^0([1-9])/44$1/         02071234567 -> 442071234567
 *	/^(?:00|\+)//            0044207     -> 44207
 *	/^(\d{3})\d*(\d{4})$/$1$2/
 *
 * Perl's syntax (PCRE2, octets). In the replacement $0 is what was matched, $1 to $9 are the groups.
 * Neither holds a blank or a '/'. No expression can stall a call: matching is cut off after
 * PATTERN_STEPS steps, and one that needs more for a number of 40 digits is refused when it is
 * entered, as far as trying tells. Immutable; any thread may read.
 */
#pragma once

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"

struct pattern;

enum { PATTERN_RULES = 64, PATTERN_TEXT_MAX = 256, PATTERN_GROUPS = 10, PATTERN_STEPS = 5000 };

/* -EINVAL with *err naming the rule (err->field is the caller's to fill); -ENOMEM. */
int pattern_create(struct pattern **ret, struct str text, struct err *err);
struct pattern *pattern_free(struct pattern *p);
DEFINE_CLEANUP(struct pattern *, pattern_free);

/*
 * 1: *out has the number as rewritten; 0: none matches, nothing written; -ELOOP: one took too many
 * steps; -ENOMEM, or buf_error(out).
 */
int pattern_apply(const struct pattern *p, struct str number, struct buf *out);
