/*
 * watched: the dynamic blacklist in a call (features.md §4.3): who is on it is refused, and what the
 * call comes to is counted. Only gateways and phones with blacklist=true; callers that are empty,
 * anonymous or on the system white list are passed over.
 */
#pragma once

#include "call/inquiry.h"

/* REASON_BLACKLISTED, or REASON_NONE. Unless it is dry, the call counts from here to watched_end. */
enum reason watched_begin(struct inquiry *q);
/* The call is over; was_sent: a vendor or phone was asked. */
void watched_end(struct inquiry *q, bool was_sent, bool was_answered, enum reason why);
