/*
 * identify: who sent this INVITE? (design.md §6, behaviour.md "Who is calling")
 */
#pragma once

#include "call/inner.h"

/*
 * The mapping gateway that a vendor's calls to our Contact belong to; else by network, port, local address, transport and longest tech
 * prefix; else by digest. NULL with *ret_why = REASON_UNKNOWN_SOURCE (nothing was answered) or another (a challenge or refusal went out).
 * A source with REASON_AUTHENTICATION_FAILED gave a wrong password from an address of its own: it is to be refused, on its record.
 */
const struct source *identify(struct worker *w, struct server_txn *t, const struct msg *m,
			      enum reason *ret_why);
/*
 * The phone or gateway by its digest alone. NULL: a challenge or refusal went out, or, for a stranger who was asked too often,
 * nothing (security.md F1).
 */
const struct source *identify_by_digest(struct worker *w, struct server_txn *t,
					const struct msg *m);
/* Why a right password of it would not count on this way (address, transport, certificate); NULL: it would. */
const char *identify_hindrance(const struct source *s, const struct flow *f);
/* Its user name. */
struct str source_user(const struct source *s);
/* Caller and callee as received, from the headers that the gateway's settings name; others than From and To are in the trail.
 * REASON_NUMBER_INVALID. */
enum reason identify_numbers(struct worker *w, const struct source *s, const struct msg *m,
			     struct inquiry *q);
