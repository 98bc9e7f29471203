/*
 * numbers: what becomes of the numbers of a call: rewritten on the way in and on the way out, looked
 * up in areas and in the lists that decide who may call whom.
 *
 *	in:   tech prefix off, the gateway's rules, its transform, the transforms for all calls; of a caller the number pairs
 *	out:  of a callee the number pairs; the transforms for all calls, the vendor's transform, its rules
 */
#pragma once

#include "call/inquiry.h"

/* From the numbers as received to those as billed. REASON_NUMBER_INVALID. */
enum reason numbers_in(struct inquiry *q);
/* From those as billed to those that this vendor is sent. REASON_NUMBER_INVALID. */
enum reason numbers_out(const struct inquiry *q, const struct vendor *v, struct number *ret_callee,
			struct number *ret_caller);
/* The numbers that a phone which is called is told: the called one and the calling one. NULL; or why there is none (NumberInvalid). */
const char *numbers_shown(const struct inquiry *q, const struct phone *p, struct number *ret_callee,
			  struct number *ret_caller);
/* The called number alone. */
enum reason numbers_callee_out(const struct inquiry *q, const struct vendor *v, struct number *ret);
/*
 * How many characters of the billed number, which has at most NUMBERS_BY_PREFIX and none besides 0-9 * # +, decide the first n (at least 1)
 * of those that this vendor is sent: as transform_reach.
 */
enum { NUMBERS_BY_PREFIX = 32 };
size_t numbers_callee_reach(const struct inquiry *q, const struct vendor *v, size_t n);
/* May these numbers call each other: the lists and prefixes of the source and of its account. */
enum reason numbers_screen(struct inquiry *q);
