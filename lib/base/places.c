#include "base/places.h"

#include <errno.h>
#include <stdlib.h>

enum { WAYS = 8 };

int places_init(struct places *t, size_t n, int time_bits)
{
	*t = (struct places){ .place = calloc(n, sizeof(*t->place)),
			      .sets = n / WAYS,
			      .time_mask = (UINT64_C(1) << time_bits) - 1 };
	return t->place ? 0 : -ENOMEM;
}

void places_done(struct places *t)
{
	free(t->place);
	t->place = NULL;
}

/* The lowest bit is the callers' to set (no key is 0), so it says nothing. */
static struct place *set_of(const struct places *t, uint64_t key)
{
	return &t->place[key / 2 % t->sets * WAYS];
}

struct place *places_find(const struct places *t, uint64_t key)
{
	struct place *set = set_of(t, key);

	for (int i = 0; i < WAYS; i++) {
		if (atomic_load(&set[i].key) == key)
			return &set[i];
	}
	return NULL;
}

struct place *places_claim(const struct places *t, uint64_t key)
{
	struct place *set = set_of(t, key);

	for (;;) {
		struct place *oldest = places_find(t, key);
		uint64_t oldest_key = 0, oldest_time = UINT64_MAX;

		if (oldest)
			return oldest;
		for (int i = 0; i < WAYS; i++) {
			uint64_t was = atomic_load(&set[i].key), word = atomic_load(&set[i].word);
			uint64_t time = was ? (word & t->time_mask) + 1 : 0;

			if (time < oldest_time) {
				oldest = &set[i];
				oldest_key = was;
				oldest_time = time;
			}
		}
		if (atomic_compare_exchange_strong(&oldest->key, &oldest_key, key))
			return oldest;
	}
}
