#include "call/doorbell.h"

#include <errno.h>
#include <stdlib.h>

#include "base/htab.h"
#include "base/meter.h"

struct doorbell {
	struct meter *all;
	struct meter *net[DOORBELL_PLACES];
};

int doorbell_create(struct doorbell **ret)
{
	CLEANUP(doorbell_free) struct doorbell *d = calloc(1, sizeof(*d));
	int r = d ? meter_create(&d->all, DOORBELL_ALL) : -ENOMEM;

	for (int i = 0; r == 0 && i < DOORBELL_PLACES; i++)
		r = meter_create(&d->net[i], DOORBELL_NET);
	if (r == 0)
		*ret = TAKE(d);
	return r;
}

struct doorbell *doorbell_free(struct doorbell *d)
{
	if (!d)
		return NULL;
	meter_free(d->all);
	for (int i = 0; i < DOORBELL_PLACES; i++)
		meter_free(d->net[i]);
	free(d);
	return NULL;
}

static uint64_t net_hash(const struct addr *a)
{
	if (addr_is_v6(a))
		return htab_hash(str_n(&a->in6.sin6_addr, 8));
	return htab_hash(str_n(&a->in.sin_addr, 3));
}

bool doorbell_may_answer(struct doorbell *d, const struct addr *stranger, int64_t now_ms)
{
	return meter_take(d->net[net_hash(stranger) % DOORBELL_PLACES], now_ms) &&
	       meter_take(d->all, now_ms);
}
