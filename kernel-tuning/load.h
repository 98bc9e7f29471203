/*
 * load: packets as a full switch would have them, over the loopback interface, to see whether any is lost
 * on the way through this kernel as it is set.
 */
#pragma once

#include <stdint.h>

struct load {
	uint64_t sent, received;
};

enum { LOAD_SECONDS_MAX = 60, LOAD_RATE_MAX = 100000 };

/*
 * Packets of the size of a call's, `rate` a second for so many seconds, in bursts of 20 ms as calls make
 * them. 0 or negative errno: the load could not be made.
 */
int load_run(uint32_t rate, uint32_t seconds, struct load *ret);
