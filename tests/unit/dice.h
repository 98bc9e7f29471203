/*
 * dice: random choices for property tests, the same in every run unless SEED is in the environment.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct dice {
	uint64_t state;
};

/* splitmix64: any state is a good one. */
static inline uint64_t dice_u64(struct dice *d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

/* The seed is mixed: those of neighbours would be one stream, a step apart. */
static inline struct dice dice_new(void)
{
	const char *seed = getenv("SEED");
	struct dice d = { seed ? strtoull(seed, NULL, 0) : 1 };

	d.state = dice_u64(&d);
	return d;
}

/* min to max, both included. */
static inline int64_t dice_in(struct dice *d, int64_t min, int64_t max)
{
	return min + (int64_t)(dice_u64(d) % ((uint64_t)(max - min) + 1));
}

/* True in one of n throws. */
static inline bool dice_one_in(struct dice *d, uint64_t n)
{
	return dice_u64(d) % n == 0;
}
