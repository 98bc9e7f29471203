/*
 * keeper: what the switch does towards vendors by itself, beside all calls: asks each address whether it is there, and
 * registers where a gateway asks for it. One worker does it for all; what it learns stands in each address's reach.
 *
 * It follows the world: what a gateway's row or a parameter says acts at the end of the turn that saw it.
 */
#pragma once

#include "base/cleanup.h"

struct worker;
struct keeper;

int keeper_create(struct keeper **ret, struct worker *w);
struct keeper *keeper_free(struct keeper *k);
DEFINE_CLEANUP(struct keeper *, keeper_free);
/* At the end of each turn. */
void keeper_turn(struct keeper *k);
/* Its registrations as a JSON array; NULL for want of memory. k may be NULL: an empty one. */
char *keeper_show(const struct keeper *k);
