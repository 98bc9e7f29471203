/*
 * host_index: address → the mapping gateways that may call from it. Exact addresses through a hash table, networks by a walk of
 * the (few) wide ones. Immutable once built.
 */
#pragma once

#include "base/addr.h"
#include "base/cleanup.h"

struct host_index;

int host_index_create(struct host_index **ret, size_t expected);
struct host_index *host_index_free(struct host_index *h);
DEFINE_CLEANUP(struct host_index *, host_index_free);

/* item: whatever the user keeps by number; the same item may be under many networks. 0 or -ENOMEM. */
int host_index_add(struct host_index *h, const struct cidr *net, uint32_t item);
/* Every item whose network holds the address (ports are compared where the network has one); an item may come more than once. */
typedef void host_fn(void *ctx, uint32_t item);
void host_index_find(const struct host_index *h, const struct addr *a, host_fn *on_item, void *ctx);
