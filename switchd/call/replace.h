/*
 * replace: an INVITE that takes the place of a party in a call that is up (RFC 3891).
 *
 *	B ── call ── C, and A's INVITE with Replaces     becomes     A ── (free) ══ call ── C
 *
 * Only whoever pays for B's side may do that, or its own gateway (call_transfer): the call goes on and is charged as it was. A's leg is a
 * call of its own, with a record, limits and lines like any other, but free, for it calls nobody.
 */
#pragma once

#include "call/inner.h"

/* Does this gateway or phone have it at all? Else Replaces is an extension that we do not know. */
bool replace_may(const struct source *peer);
/*
 * The leg that is to be replaced, or NULL: none is asked for. REASON_NONE, or why not: BAD_REQUEST, NO_SUCH_DIALOG, DESTINATION_FORBIDDEN;
 * USER_BUSY: it was to be replaced before its answer only.
 */
enum reason replace_find(struct worker *w, const struct source *peer, const struct msg *m,
			 struct leg **ret);
/* The new call, which has passed its checks: C is asked with its offer. May end the call. */
void replace_begin(struct call *c, struct leg *replaced);
