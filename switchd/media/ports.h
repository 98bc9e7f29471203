/*
 * ports: which port pairs of the range are free. A pair is an even RTP port and the RTCP port above
 * it; after use it rests for 10 s, so that a late packet of one call is never another's. Shared by
 * all workers, one atomic word a pair.
 */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum { PORTS_REST_MS = 10000 };

struct ports;

int ports_create(struct ports **ret);
struct ports *ports_free(struct ports *p);
DEFINE_CLEANUP(struct ports *, ports_free);

/* The range that is taken from, from now on. Only whole pairs inside it count, port 0 never. */
void ports_set(struct ports *p, uint16_t low, uint16_t high);
/* A free pair, chosen at random: its RTP port; 0 if there is none. */
uint16_t ports_take(struct ports *p, ms_t now_ms);
void ports_give(struct ports *p, uint16_t port, ms_t now_ms);
