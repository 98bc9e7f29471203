/*
 * inside: what others send by the rules for requests inside a dialog (inside.c): one re-INVITE or UPDATE at a time on a leg (RFC 3261 §14).
 */
#pragma once

#include "call/inner.h"

/*
 * Sends the leg's one request (l->asking) for that owner, whose ctx is the leg; extra: further header lines. The leg must not be asking or
 * asked. 0 or a negative errno: then it is not asking.
 */
int inside_ask(struct leg *to, enum method method, struct str sdp, struct str extra,
	       const struct client_owner *o);
/* The first 2xx to it: where the peer is now, its session timer, and the ACK, unless the answer to a late offer is still to come. */
void inside_accepted(struct leg *l, const struct msg *m);
