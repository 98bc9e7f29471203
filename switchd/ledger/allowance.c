#include "ledger/allowance.h"

#include <stdlib.h>

struct allowance *bundle_at(const struct bundle *b, ms_t wall_ms)
{
	struct allowance *a = atomic_load(&b->newest);

	while (a && !(a->begins <= wall_ms && wall_ms < a->ends))
		a = a->older;
	return a;
}

static int64_t take(_Atomic int64_t *word, int64_t want)
{
	int64_t left = atomic_load(word), taken;

	do {
		taken = want < left ? want : left;
		if (taken <= 0)
			return 0;
	} while (!atomic_compare_exchange_weak(word, &left, left - taken));
	return taken;
}

int64_t allowance_take_s(struct allowance *a, int64_t want_s)
{
	int64_t steps = (want_s + a->step_s - 1) / a->step_s;

	return take(&a->left_s, steps * a->step_s);
}

money_t allowance_take_money(struct allowance *a, money_t want)
{
	return take(&a->left_money, want);
}

void allowance_give(struct allowance *a, int64_t seconds, money_t money)
{
	atomic_fetch_add(&a->left_s, seconds);
	atomic_fetch_add(&a->left_money, money);
}

void rent_free(struct rent *r)
{
	if (!r)
		return;
	free(r->account);
	free(r->package);
	free(r);
}
