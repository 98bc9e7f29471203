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
/* Is this the final answer that the leg waits for? Then it is not asking any more. A 2xx that comes again gets its ACK again. */
bool inside_answered(struct leg *l, const struct client_txn *t, const struct msg *m);
/* The first 2xx to it: where the peer is now, its session timer, and the ACK, unless the answer to a late offer is still to come. */
void inside_accepted(struct leg *l, const struct msg *m);
/* 481 and 408 end the call: the peer does not know the dialog, or is gone (RFC 3261 §12.2.1.2). */
void inside_refused(struct leg *l, int code);
/* A BYE that came on l. */
void inside_bye(struct leg *l, struct server_txn *t, const struct msg *m);
/* on_done of the owner. */
void inside_done(void *ctx, struct client_txn *t);
