/*
 * places: a bounded table of one word a key, for any number of threads, without a lock and without allocation. Sets of eight
 * places: a key that comes to a full set takes the place of the one with the lowest time, so the table forgets and never
 * grows. Right for what may be forgotten: counts of guesses, numbers barred for a while.
 *
 * A key is a hash (htab_hash2: nobody can aim at another's set) and not 0. A word's low bits are its time, in any unit; the rest is
 * the caller's, changed by compare-and-swap. A place that was taken over keeps the word of the key before: the caller keeps some
 * bits of the key in the word and reads one with others as empty.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct place {
	_Atomic uint64_t key; /* 0: free */
	_Atomic uint64_t word;
};

struct places {
	struct place *place;
	size_t sets;
	uint64_t time_mask;
};

/* n: how many places, a multiple of eight; time_bits: 1..63. 0 or -ENOMEM; undone by places_done. */
int places_init(struct places *t, size_t n, int time_bits);
void places_done(struct places *t);

/* NULL: the key has none. */
struct place *places_find(const struct places *t, uint64_t key);
/* Its own place, or a free one, or that of the lowest time. */
struct place *places_claim(const struct places *t, uint64_t key);
