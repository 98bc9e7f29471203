/*
 * chain: transforms that a number goes through one after the other. Each acts once, on what the one
 * before made. Owns its transforms; immutable once made; any thread may read.
 */
#pragma once

#include "number/transform.h"

struct chain;

int chain_create(struct chain **ret);
struct chain *chain_free(struct chain *c);
DEFINE_CLEANUP(struct chain *, chain_free);
/* Takes the transform to the end, also when it fails. 0 or -ENOMEM. */
int chain_add(struct chain *c, struct transform *t);
/* As transform_apply; c may be NULL. */
int chain_apply(const struct chain *c, struct str number, struct buf *out);
/* As transform_reach and transform_growth; c may be NULL. */
size_t chain_reach(const struct chain *c, struct str number, size_t n);
size_t chain_growth(const struct chain *c);
