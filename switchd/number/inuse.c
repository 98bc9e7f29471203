#include "number/inuse.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

/*
 * Sets of eight places, each one word, changed by compare-and-swap:
 *
 *	tag 43 bits | count 21 bits
 *
 * A key's tag is never 0, and a place without a count is free. Two threads may begin the same key in two places of its set; so a count is the
 * sum over the set, one is taken first and the sum asked then: of two that meet at the limit both may be refused, never both taken.
 */
enum { WAYS = 8, SETS = 1 << 15, COUNT_BITS = 21 };

#define COUNT_MASK ((UINT64_C(1) << COUNT_BITS) - 1)

struct inuse {
	_Atomic uint64_t place[SETS][WAYS];
};

static uint64_t tag_of(uint64_t key)
{
	return (key | UINT64_C(1) << 63) & ~COUNT_MASK;
}

static uint64_t count_of(uint64_t word, uint64_t tag)
{
	return (word & ~COUNT_MASK) == tag ? word & COUNT_MASK : 0;
}

uint32_t inuse_count(const struct inuse *u, uint64_t key)
{
	uint64_t sum = 0;

	for (int i = 0; i < WAYS; i++)
		sum += count_of(atomic_load(&u->place[key % SETS][i]), tag_of(key));
	return (uint32_t)sum;
}

/* One more in the place if it is this key's, or free. */
static bool add_at(_Atomic uint64_t *place, uint64_t tag, bool may_begin)
{
	uint64_t word = atomic_load(place), next;

	do {
		uint64_t count = count_of(word, tag);

		if (count == 0 && (!may_begin || (word & COUNT_MASK)))
			return false;
		next = tag | (count + 1);
	} while (!atomic_compare_exchange_weak(place, &word, next));
	return true;
}

static bool add(struct inuse *u, uint64_t key)
{
	_Atomic uint64_t *set = u->place[key % SETS];

	for (int begin = 0; begin < 2; begin++)
		for (int i = 0; i < WAYS; i++)
			if (add_at(&set[i], tag_of(key), begin))
				return true;
	return false;
}

bool inuse_take(struct inuse *u, uint64_t key, uint32_t limit)
{
	if (inuse_count(u, key) >= limit || !add(u, key))
		return false;
	if (inuse_count(u, key) <= limit)
		return true;
	inuse_give(u, key);
	return false;
}

void inuse_give(struct inuse *u, uint64_t key)
{
	_Atomic uint64_t *set = u->place[key % SETS];

	for (int i = 0; i < WAYS; i++) {
		uint64_t word = atomic_load(&set[i]);

		while (count_of(word, tag_of(key)) > 0)
			if (atomic_compare_exchange_weak(&set[i], &word, word - 1))
				return;
	}
}

int inuse_create(struct inuse **ret)
{
	struct inuse *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	*ret = u;
	return 0;
}

struct inuse *inuse_free(struct inuse *u)
{
	free(u);
	return NULL;
}
