#include "call/pool.h"

#include "base/htab.h"
#include "base/rand.h"
#include "number/inuse.h"

enum { LOOKED_AT = 1024 }; /* of a pool, where numbers have a limit */

static uint64_t key_of(const struct vendor *v, struct str number)
{
	return htab_hash2(str_of(v->row->name), number);
}

/* False: it is in use as often as may be. */
static bool take(const struct inquiry *q, struct choice *c, struct str number)
{
	const struct vendor *v = c->vendor;
	uint32_t limit = (uint32_t)v->row->caller_pool_lines;
	struct inuse *u = q->hub ? q->hub->inuse : NULL;
	uint64_t key = key_of(v, number);

	if (number_set(&c->caller, number) < 0)
		return false;
	if (limit == 0 || !u)
		return true;
	if (q->is_dry)
		return inuse_count(u, key) < limit;
	if (!inuse_take(u, key, limit))
		return false;
	c->pool = (struct pool_line){ u, key };
	return true;
}

/* Where to begin; a dry inquiry does not take the turn. */
static uint64_t turn_of(const struct inquiry *q, const struct vendor *v)
{
	if (v->row->caller_pool_order == ROUTING_GATEWAY_CALLER_POOL_ORDER_RANDOM)
		return rand_u64();
	return q->is_dry ? atomic_load(&v->gate->pool_turn)
			 : atomic_fetch_add(&v->gate->pool_turn, 1);
}

enum reason pool_draw(struct inquiry *q, struct choice *c)
{
	const struct vendor *v = c->vendor;
	size_t n = v->pool ? numlist_count(v->pool) : 0;
	size_t most = n < LOOKED_AT ? n : LOOKED_AT;

	if (n == 0)
		return REASON_NONE;

	uint64_t turn = turn_of(q, v);

	for (size_t i = 0; i < most; i++)
		if (take(q, c, numlist_at(v->pool, (size_t)((turn + i) % n))))
			return REASON_NONE;
	trail_add(&q->trail, v->row->name, "skip",
		  "%s: the %zu numbers of the caller pool %s are all in as many calls as may be "
		  "(%lld)",
		  reason_name(REASON_ALL_GATEWAY_BUSY), most, v->row->caller_pool,
		  (long long)v->row->caller_pool_lines);
	return REASON_ALL_GATEWAY_BUSY;
}

void pool_give(struct pool_line *l)
{
	if (l->of)
		inuse_give(l->of, l->key);
	*l = (struct pool_line){ NULL, 0 };
}
