/* elements: the sets of the table and what is in them, as messages of a batch. Private to kernel.c. */
#pragma once

#include "batch.h"
#include "kernel.h"

struct nftnl_set;

/* Every set that the rules ask; one that is there already stays as it is. */
void elements_put_sets(struct batch *b, const struct ruleset *s);
/* The exempt set of this family, emptied and filled. 0 or -ENOMEM. */
int elements_put_exempt(struct batch *b, const struct exempt *e, enum family f);
/*
 * type: NFT_MSG_NEWSETELEM or NFT_MSG_DELSETELEM; ms: how long, when it is added. A ban, and a customer: an
 * address, of IPv6 a /64.
 */
typedef void elements_put_fn(struct batch *b, uint16_t type, const struct cidr *net, int64_t ms);
elements_put_fn elements_put_ban, elements_put_known;
/* Tells every element of a set that was read. */
void elements_each(struct nftnl_set *s, bool is_of_nets, kernel_hit_fn *on_hit, void *ctx);
