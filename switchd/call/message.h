/*
 * message: MESSAGE (RFC 3428) inside a call to its other side, and outside of calls to a phone of ours; so is NOTIFY of waiting
 * voice mail (RFC 3842), which nobody has to have asked for. Both sides must have it switched on (messages). What is let through is
 * text, and counts of messages; nothing else of the sender's request.
 */
#pragma once

#include "call/inner.h"

/* Is MESSAGE let through from this leg, and to it? */
bool message_may(const struct leg *l);
/* Of a MESSAGE that came on l: 0, or the SIP code that refuses it. */
int message_inside(struct leg *l, const struct msg *m);
/* MESSAGE or NOTIFY outside a dialog. */
void message_request(struct worker *w, struct server_txn *t, const struct msg *m);
/* Those that are not answered yet end without a word. */
void messages_done(struct worker *w);
