/*
 * router: number → candidates, in the order they are to be tried.
 *
 * Policy `priority` (behaviour.md "Choosing and trying vendors"): longest route prefix, then
 * priority, then name; protected gateways after all others. A gateway counts once, by the longest
 * of its prefixes that matches. After one with prefix_mode=terminating none with a shorter prefix
 * is tried; a protected one, being after all others, so shuts out protected ones only. What is
 * locked, full or down is a candidate all the same: the caller finds and records that. A gateway that is asked for ported numbers
 * is none.
 *
 * Immutable; any thread may read.
 */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "model/entity.h"

struct router;

enum { ROUTE_CANDIDATES = 256, ROUTE_PRIORITY_MAX = 100 };

struct candidate {
	uint32_t gateway;   /* index into the rows the router was made from */
	uint8_t prefix_len; /* of the matching prefix */
};

/* rows are loans that must outlive the router. -EINVAL with *err for a bad prefix; -ENOMEM. */
int router_create(struct router **ret, struct routing_gateway_row *const *rows, size_t n,
		  struct err *err);
struct router *router_free(struct router *r);
DEFINE_CLEANUP(struct router *, router_free);

/* How many; the first 256 in order if there are more. *ret_reach: as trie_walk; may be NULL. */
size_t router_find(const struct router *r, struct str number,
		   struct candidate ret[ROUTE_CANDIDATES], size_t *ret_reach);
