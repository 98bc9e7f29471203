/*
 * prices: the vendors that have a prefix of a number, cheapest first, by what each one's own rate asks for it now; and a store of such
 * lists, so that the next number of the same prefixes costs a copy and no thousand steps through two hundred tariffs.
 *
 * A list is kept under as many leading characters of the number as decided it (trie_walk), for the customer's currency and routing
 * prefix, the caller's origin groups, and for the time in which no rate that it was made from begins or ends. Numbers that some vendor's expressions rewrite are kept whole. A change of
 * the configuration makes another world, whose serial the old lists do not have. What is found is always what would be computed.
 *
 * A store belongs to one worker's thread. It is bounded: what was kept longest goes.
 */
#pragma once

#include "base/cleanup.h"
#include "call/inquiry.h"

/* A vendor in a list, before its time plans are asked. */
struct standing {
	money_t price; /* of a call of rank_length_s, in the customer's currency; INT64_MAX: none */
	uint32_t vendor;    /* index into world->vendor; they stand in the order of their names */
	uint8_t prefix_len; /* of the route prefix that led to it */
	uint8_t priority;   /* 1 to ROUTE_PRIORITY_MAX */
	bool is_protected;
	bool has_plans;
};

/* A list, and room for one that is nowhere kept. */
struct ranking {
	size_t n;
	const struct standing *at; /* room, or a loan of the store until it is asked again */
	bool has_plans;            /* one of them has */
	struct standing room[ROUTE_CANDIDATES];
};

struct prices;

enum { PRICES_BYTES = 32 << 20 };

/* bytes: about how much all lists may take. 0 or -ENOMEM. */
int prices_create(struct prices **ret, size_t bytes);
struct prices *prices_free(struct prices *p);
DEFINE_CLEANUP(struct prices *, prices_free);

/* In the order of (protected last, price, priority, name). q->prices NULL: nothing is kept. */
void prices_find(const struct inquiry *q, struct ranking *ret);
/* Without prices, in the router's order. */
void prices_skip(const struct inquiry *q, struct ranking *ret);
/* What a call of that price is compared by, seconds. */
int64_t rank_length_s(const struct params *p);

struct prices_stats {
	uint64_t found, made; /* lists */
	size_t lists, bytes;  /* kept now */
};
void prices_stats(const struct prices *p, struct prices_stats *ret);
