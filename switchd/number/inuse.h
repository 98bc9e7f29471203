/*
 * inuse: how often something is in use at once, of many things: a number of a caller pool at one vendor.
 *
 * One for the whole switch: any thread may take and give, without a lock and in O(1). Never more than the limit are taken. Bounded: of
 * those that share a set of places eight can be in use at once; a ninth is told that it is. A thing is known by its key alone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct inuse;

enum { INUSE_LIMIT_MAX = 1000000 };

/* 0 or -ENOMEM. */
int inuse_create(struct inuse **ret);
struct inuse *inuse_free(struct inuse *u);
DEFINE_CLEANUP(struct inuse *, inuse_free);

/* key: a hash that nobody can aim at (htab_hash). limit: 1 or more. What was taken has to be given. */
bool inuse_take(struct inuse *u, uint64_t key, uint32_t limit);
void inuse_give(struct inuse *u, uint64_t key);
uint32_t inuse_count(const struct inuse *u, uint64_t key);
