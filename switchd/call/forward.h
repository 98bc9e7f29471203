/*
 * forward: a phone's calls go on to another number: always, or when it is busy, does not answer or is not there.
 *
 * What the caller asked for stays a call to the phone, at the caller's price and in a record of its own: the front of a call that
 * from then on is the phone's, checked, routed and charged like any other that the phone makes (security.md B9). A front has no
 * legs and no timers: it is journalled, extended and ended with the call that it stands before, and freed with it.
 */
#pragma once

#include "call/inner.h"

/* The phone that is called sends every call on. True: so it was done, and the call may be over. */
bool forward_always(struct call *c);
/* The same of a call that came to nothing. */
bool forward_after(struct call *c, enum reason why);
/* Frees what stands before the call. */
void forward_done(struct call *c);
/* RFC 5806: who sent it on, the last one first. */
void forward_put_diversion(const struct call *c, const char *here, struct buf *out);
/* For explain: where calls to that phone go on to. */
void forward_explain(struct inquiry *q, const struct phone *p);
