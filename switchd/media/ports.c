#include "media/ports.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/rand.h"

enum { PAIRS = 32768 };
#define IN_USE INT64_MAX

struct ports {
	_Atomic uint32_t range;      /* low pair << 16 | number of pairs */
	_Atomic ms_t free_at[PAIRS]; /* a pair's word: when it may be used again; by port / 2 */
};

int ports_create(struct ports **ret)
{
	struct ports *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	ports_set(p, 10000, 20000);
	*ret = p;
	return 0;
}

struct ports *ports_free(struct ports *p)
{
	free(p);
	return NULL;
}

void ports_set(struct ports *p, uint16_t low, uint16_t high)
{
	uint32_t first = low < 2 ? 1 : (low + 1u) / 2, end = (high + 1u) / 2;
	uint32_t count = end > first ? end - first : 0;

	atomic_store(&p->range, first << 16 | count);
}

static bool claim(_Atomic ms_t *word, ms_t now_ms)
{
	ms_t at = atomic_load_explicit(word, memory_order_relaxed);

	return at <= now_ms && atomic_compare_exchange_strong(word, &at, IN_USE);
}

uint16_t ports_take(struct ports *p, ms_t now_ms)
{
	uint32_t range = atomic_load(&p->range), first = range >> 16, count = range & 0xffff;
	uint32_t start = count ? rand_below(count) : 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t pair = first + (start + i) % count;

		if (claim(&p->free_at[pair], now_ms))
			return (uint16_t)(pair * 2);
	}
	return 0;
}

void ports_give(struct ports *p, uint16_t port, ms_t now_ms)
{
	atomic_store(&p->free_at[port / 2], now_ms + PORTS_REST_MS);
}
