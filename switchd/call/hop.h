/*
 * hop: where a peer's answers and our requests to it go over UDP (features.md 1.4: reply address, request address). On a
 * connection everything goes back on it.
 */
#pragma once

#include "call/inner.h"

/* For a leg that was just begun: what its gateway says. */
void hop_begin(struct leg *l, int64_t reply_address, int64_t request_address);
/* Before any answer to a request of this leg. */
void hop_answers(const struct leg *l, struct server_txn *t, const struct msg *m);
/* After the dialog's target or routes may have changed. */
void hop_requests(struct leg *l);
/*
 * A request came inside the dialog: a caller behind NAT may have got a new port. True if that moved it. A vendor is where its
 * gateway says.
 */
bool hop_follow(struct leg *l, const struct msg *m);
