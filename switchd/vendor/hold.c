#include "vendor/hold.h"

#include "base/htab.h"

uint64_t hold_key(struct str prefix)
{
	return htab_hash(prefix) | 1;
}

static struct hold *find(const struct holds *h, uint64_t key)
{
	for (int i = 0; i < HOLDS; i++) {
		if (atomic_load(&h->hold[i].key) == key)
			return (struct hold *)(uintptr_t)&h->hold[i];
	}
	return NULL;
}

static bool is_idle(const struct hold *x, ms_t now_ms)
{
	return atomic_load(&x->until_ms) <= now_ms && atomic_load(&x->failures) == 0;
}

/* Its own place, a free one, or one whose hold is over. */
static struct hold *get(struct holds *h, uint64_t key, ms_t now_ms)
{
	struct hold *x = find(h, key);

	for (int i = 0; !x && i < HOLDS; i++) {
		uint64_t before = atomic_load(&h->hold[i].key);

		if ((before == 0 || is_idle(&h->hold[i], now_ms)) &&
		    atomic_compare_exchange_strong(&h->hold[i].key, &before, key)) {
			x = &h->hold[i];
			atomic_store(&x->until_ms, 0);
			atomic_store(&x->trial_ms, 0);
			atomic_store(&x->failures, 0);
		}
	}
	return x;
}

ms_t hold_left(const struct holds *h, uint64_t key, ms_t now_ms)
{
	const struct hold *x = find(h, key);
	ms_t left = x ? atomic_load(&x->until_ms) - now_ms : 0;

	return left > 0 ? left : 0;
}

ms_t holds_longest(const struct holds *h, ms_t now_ms)
{
	ms_t longest = 0;

	for (int i = 0; i < HOLDS; i++) {
		ms_t left = atomic_load(&h->hold[i].until_ms) - now_ms;

		if (left > longest)
			longest = left;
	}
	return longest;
}

bool hold_take_trial(struct holds *h, uint64_t key, uint32_t limit, ms_t now_ms)
{
	struct hold *x = find(h, key);

	if (!x || limit == 0 || atomic_load(&x->failures) < limit)
		return true;

	/* A trial that never told what became of it does not shut the vendor out for ever. */
	int64_t before = atomic_load(&x->trial_ms);

	return (before == 0 || now_ms - before >= HOLD_TRIAL_MS) &&
	       atomic_compare_exchange_strong(&x->trial_ms, &before, now_ms);
}

static void hold_until(struct hold *x, ms_t until_ms)
{
	int64_t before = atomic_load(&x->until_ms);

	while (before < until_ms && !atomic_compare_exchange_weak(&x->until_ms, &before, until_ms))
		;
}

void hold_failed(struct holds *h, uint64_t key, uint32_t limit, ms_t pause_ms, ms_t now_ms)
{
	struct hold *x = limit ? get(h, key, now_ms) : NULL;

	if (!x)
		return;
	if (atomic_fetch_add(&x->failures, 1) + 1 >= limit)
		hold_until(x, now_ms + pause_ms);
	atomic_store(&x->trial_ms, 0);
}

void hold_worked(struct holds *h, uint64_t key)
{
	struct hold *x = find(h, key);

	if (!x)
		return;
	atomic_store(&x->failures, 0);
	atomic_store(&x->trial_ms, 0);
}

void hold_untold(struct holds *h, uint64_t key)
{
	struct hold *x = find(h, key);

	if (x)
		atomic_store(&x->trial_ms, 0);
}

void hold_asked(struct holds *h, uint64_t key, int64_t seconds, ms_t now_ms)
{
	struct hold *x = seconds > 0 ? get(h, key, now_ms) : NULL;

	if (x)
		hold_until(x, now_ms + 1000 * (seconds < HOLD_RETRY_AFTER_MAX_S
						       ? seconds
						       : HOLD_RETRY_AFTER_MAX_S));
}
