/*
 * local: which of our addresses does a peer see? Asked of the kernel's routes and remembered for a
 * short while, since a link may change its address.
 */
#pragma once

#include "base/addr.h"

enum { LOCAL_SLOTS = 256 };

/* A peer's slot is found by the hash of its host; who shares one takes turns. All 0 at the start. */
struct local {
	struct {
		struct addr peer, source;
		int64_t until_ms;
	} slot[LOCAL_SLOTS];
};

/* Our address without a port; 0 or the negative errno of the route. */
int local_find(struct local *l, const struct addr *peer, int64_t now_ms, struct addr *ret);
