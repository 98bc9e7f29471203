/*
 * keepalive: datagrams to phones behind NAT, so that the NAT goes on letting calls through (features.md §1.2).
 *
 * Raw bytes, no SIP, from the listener that the registration came to. A cycle over all of them takes a period: batches of so many,
 * a pause between two. What a cycle has not come to when it ends is counted, and the next begins at the top. One worker does it for all:
 * every one has all bindings, and a listener's address at any of them.
 */
#pragma once

#include "phone/registrar.h"

struct keepalive_settings {
	struct str message; /* a loan for the call; empty: nothing is sent */
	int64_t period_ms, interval_ms, batch;
};

struct keepalive;

int keepalive_create(struct keepalive **ret, struct registrar *r);
struct keepalive *keepalive_free(struct keepalive *k);
DEFINE_CLEANUP(struct keepalive *, keepalive_free);
/* What differs acts at once: a new cycle begins. */
void keepalive_set(struct keepalive *k, const struct keepalive_settings *s);
