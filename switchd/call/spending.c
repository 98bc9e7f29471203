#include "call/spending.h"

#include "call/inner.h"
#include "call/packages.h"
#include "call/world_spend.h"

enum { LOOK_MS = 1000, LOOK_MAX_S = 60 };

_Static_assert((int)WATCHERS_MAX == (int)SPEND_RULES_MAX, "a call has room for all its rules");

static enum reason refuse(struct inquiry *q, const struct spend_rule *r)
{
	trail_add(&q->trail, "spend", "refuse", "%s: spend rule %s, as `spend list` shows",
		  reason_name(REASON_SPEND_LIMIT), r->row->name);
	return REASON_SPEND_LIMIT;
}

/* Counted, and never refused or ended. */
static bool passes(const struct inquiry *q)
{
	return q->is_free || q->callee_is_white || q->caller_is_white;
}

/* What it would be charged, did it end now: with the increment that has begun, at least the first. */
static money_t cost_of(const struct inquiry *q, int64_t age_ms)
{
	int64_t first_ms = q->price.terms.first_s * 1000;

	if (!q->price.is_rated)
		return 0;
	return packages_charge(q, age_ms < first_ms ? first_ms : age_ms + 1);
}

static void give_pending(struct inquiry *q)
{
	for (int i = 0; i < q->watchers && q->pending; i++)
		spent_give(q->watcher[i], q->pending);
	q->pending = 0;
}

static bool may_go(const struct inquiry *q, struct spent *s)
{
	if (passes(q))
		return true;
	return q->is_dry ? !spent_is_over(s, true) : spent_take(s, q->pending);
}

enum reason admit_spend(struct inquiry *q)
{
	const struct payer *p = q->source->payer;

	q->watchers = 0;
	q->pending = passes(q) || q->is_dry ? 0 : cost_of(q, 0);
	for (int i = 0; i < p->watches; i++) {
		const struct spend_watch *w = &p->watch[i];

		if (!spend_rule_is_about(w->rule, str_of(q->callee.digits), q->callee_area))
			continue;
		if (!may_go(q, w->spent)) {
			give_pending(q);
			q->watchers = 0;
			return refuse(q, w->rule);
		}
		q->watcher[q->watchers++] = w->spent;
	}
	for (int i = 0; i < q->watchers && !q->is_dry; i++)
		spent_tell(q->watcher[i], 0, 1);
	return REASON_NONE;
}

static void tell(struct inquiry *q, money_t cost)
{
	money_t more = cost - q->told;

	for (int i = 0; i < q->watchers && more != 0; i++)
		spent_tell(q->watcher[i], more, 0);
	q->told = cost;
	give_pending(q); /* after it was told: never too little in between */
}

static bool must_end(const struct inquiry *q)
{
	if (passes(q))
		return false;
	for (int i = 0; i < q->watchers; i++) {
		if (atomic_load(&q->watcher[i]->cuts) && spent_is_over(q->watcher[i], false))
			return true;
	}
	return false;
}

bool spending_look(struct call *c, int64_t age_ms)
{
	struct inquiry *q = &c->q;

	if (q->watchers > 0)
		tell(q, cost_of(q, age_ms));
	return !must_end(q);
}

/* The charge grows by increments: between them there is nothing to tell, unless somebody may cut. */
ms_t spending_next(const struct call *c, ms_t now_ms)
{
	const struct inquiry *q = &c->q;
	int64_t step_s = q->price.is_rated ? q->price.terms.step_s : LOOK_MAX_S;

	if (q->watchers == 0)
		return INT64_MAX;
	for (int i = 0; i < q->watchers; i++) {
		if (atomic_load(&q->watcher[i]->cuts))
			return now_ms + LOOK_MS;
	}
	return now_ms + (step_s < LOOK_MAX_S ? step_s : LOOK_MAX_S) * 1000;
}

void spending_end(struct call *c, money_t charged)
{
	tell(&c->q, charged);
	c->q.watchers = 0;
}
