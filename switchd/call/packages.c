#include "call/packages.h"

#include <stdlib.h>

#include "call/inner.h"
#include "call/world_package.h"

_Static_assert(sizeof(((struct inquiry *)0)->given_by) / sizeof(struct allowance *) == GIFT_PARTS,
	       "each part has its allowance");

static struct allowance *allowance_of(const struct inquiry *q, const struct package_order *o,
				      ms_t wall_ms)
{
	const struct timeplan *plan = o->package->plan;

	if (!package_order_is_in_force(o, wall_ms) ||
	    (plan && !timeplan_is_in_force(plan, q->wall_ms)) ||
	    !package_is_for(o->package, str_of(q->callee.digits), q->callee_area))
		return NULL;
	return bundle_at(o->bundle, wall_ms);
}

bool packages_at_hand(const struct inquiry *q, const struct payer *p)
{
	for (int i = 0; i < p->orders; i++) {
		const struct allowance *a = allowance_of(q, &p->order[i], q->wall_ms);

		if (a && (atomic_load(&a->left_s) > 0 || atomic_load(&a->left_money) > 0))
			return true;
	}
	return false;
}

/* The part of the gift that this one gives; NULL: there is no room for one more. */
static struct gift_part *part_of(struct inquiry *q, struct allowance *a)
{
	struct gift *g = &q->gift;

	for (int i = 0; i < g->count; i++) {
		if (q->given_by[i] == a)
			return &g->part[i];
	}
	if (g->count == GIFT_PARTS)
		return NULL;
	q->given_by[g->count] = a;
	g->part[g->count] = (struct gift_part){ .allowance = a->id, .step_s = a->step_s };
	return &g->part[g->count++];
}

/* A dry inquiry sees what there is, and leaves it. */
static int64_t take_s(const struct inquiry *q, struct allowance *a, int64_t want_s)
{
	int64_t left = atomic_load(&a->left_s);

	if (!q->is_dry)
		return allowance_take_s(a, want_s);
	return want_s < left ? want_s : left > 0 ? left : 0;
}

static money_t take_money(const struct inquiry *q, struct allowance *a, money_t want)
{
	money_t left = atomic_load(&a->left_money);

	if (!q->is_dry)
		return allowance_take_money(a, want);
	return want < left ? want : left > 0 ? left : 0;
}

static int64_t missing_s(const struct inquiry *q, int64_t ms)
{
	struct given sum;

	gift_sum(&q->gift, &sum);
	return charge_billable_s(&q->price.terms, ms) - sum.seconds;
}

static money_t missing_money(const struct inquiry *q, int64_t ms)
{
	struct given sum;
	struct charge c;

	gift_sum(&q->gift, &sum);
	return charge_compute_given(&q->price.terms, &sum, ms, &c) < 0 ? 0 : c.fee;
}

static void hold_seconds(struct inquiry *q, const struct payer *p, int64_t ms, ms_t now)
{
	int64_t want = missing_s(q, ms);

	for (int i = 0; want > 0 && i < p->orders; i++) {
		struct allowance *a = allowance_of(q, &p->order[i], now);
		struct gift_part *part = a && atomic_load(&a->left_s) > 0 ? part_of(q, a) : NULL;
		int64_t taken = part ? take_s(q, a, want) : 0;

		if (taken <= 0)
			continue;
		part->used_s += taken;
		part->seconds += taken;
		want -= taken;
	}
}

static void hold_money(struct inquiry *q, const struct payer *p, int64_t ms, ms_t now)
{
	money_t want = missing_money(q, ms);

	for (int i = 0; want > 0 && i < p->orders; i++) {
		struct allowance *a = allowance_of(q, &p->order[i], now);
		struct gift_part *part =
			a && atomic_load(&a->left_money) > 0 ? part_of(q, a) : NULL;
		money_t taken = part ? take_money(q, a, want) : 0;

		if (taken <= 0)
			continue;
		part->money += taken;
		want -= taken;
	}
}

void packages_hold(struct inquiry *q, const struct payer *p, int64_t ms)
{
	ms_t now = q->is_dry ? q->wall_ms : clock_wall_ms();

	if (!p || p->orders == 0 || !q->price.is_rated || q->is_free)
		return;
	hold_seconds(q, p, ms, now);
	hold_money(q, p, ms, now);
}

static void give_back(struct inquiry *q, const struct gift *was)
{
	for (int i = 0; i < was->count && !q->is_dry; i++) {
		int64_t seconds = was->part[i].used_s - q->gift.part[i].used_s;
		money_t money = was->part[i].money - q->gift.part[i].money;

		if (seconds || money)
			allowance_give(q->given_by[i], seconds, money);
	}
}

void packages_trim(struct inquiry *q, int64_t ms)
{
	struct gift was = q->gift;
	struct charge c;

	if (was.count == 0)
		return;
	if (gift_settle(&q->gift, &q->price.terms, ms, &c) < 0)
		q->gift = was;
	/* What is held of a step that has begun is at the call's disposal. */
	for (int i = 0; i < q->gift.count; i++)
		q->gift.part[i].seconds = q->gift.part[i].used_s;
	give_back(q, &was);
}

money_t packages_charge(const struct inquiry *q, int64_t ms)
{
	struct given sum;

	gift_sum(&q->gift, &sum);
	return charge_total_given(&q->price.terms, &sum, ms);
}

int64_t packages_reach_ms(const struct inquiry *q, money_t budget)
{
	struct given sum;

	gift_sum(&q->gift, &sum);
	return charge_reach_given_ms(&q->price.terms, &sum, budget);
}

static char *text_of(const struct gift *g)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	gift_put(g, &b);
	return b.n ? buf_steal(&b) : NULL;
}

void packages_record(const struct inquiry *q, struct cdr_row *r)
{
	free(r->packages);
	r->packages = text_of(&q->gift);
}

void packages_journal(struct call *c)
{
	char *text = text_of(&c->q.gift);

	if (text && !booking_gift(c->worker->booking, c->id, text))
		free(text);
}

int packages_settle(struct inquiry *q, const struct payer *p, int64_t hold_ms, struct cdr_row *r,
		    struct charge *ret)
{
	struct gift held;
	struct given sum;
	int e;

	packages_hold(q, p, hold_ms); /* the last slice may have been short */
	held = q->gift;
	e = gift_settle(&q->gift, &q->price.terms, hold_ms, ret);
	if (e < 0) {
		q->gift = held;
		packages_release(q);
		return e;
	}
	give_back(q, &held);
	gift_sum(&q->gift, &sum);
	r->package_s = sum.seconds;
	r->package_fee = sum.money;
	packages_record(q, r);
	q->gift.count = 0;
	return 0;
}

void packages_release(struct inquiry *q)
{
	struct gift was = q->gift;

	for (int i = 0; i < q->gift.count; i++)
		q->gift.part[i].used_s = q->gift.part[i].money = 0;
	give_back(q, &was);
	q->gift.count = 0;
}

void packages_forget(struct cdr_row *r)
{
	free(r->packages);
	r->packages = NULL;
}
