#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/world_package.h"
#include "ops/inner.h"
#include "rating/period.h"

/*
 * Fees of packages. Once a second every order in force is looked at: has its period been paid? If not, the ledger is asked to book the
 * fee, which it does once, if the account has the money. The period is that of the wall clock now: of a clock that was put back, or
 * a switch that was off for a month, nothing is booked twice or later.
 */

_Static_assert((int)PERIOD_DAY == (int)PACKAGE_PERIOD_DAY &&
		       (int)PERIOD_MONTH == (int)PACKAGE_PERIOD_MONTH &&
		       (int)PERIOD_YEAR == (int)PACKAGE_PERIOD_YEAR &&
		       (int)PERIOD_ONCE == (int)PACKAGE_PERIOD_ONCE,
	       "the table's words stand in the same order");

/* The period of an order: that of the calendar, cut to the time of the order. */
static void period_of(const struct package_order *x, ms_t now, struct period *ret,
		      struct period *ret_whole)
{
	const struct package_order_row *row = x->row;

	period_at(x->package->zone, (enum period_unit)x->package->row->period, now, ret);
	*ret_whole = *ret;
	if (row->from != FIELD_ABSENT && row->from > ret->begins)
		ret->begins = row->from;
	if (row->until != FIELD_ABSENT && row->until < ret->ends)
		ret->ends = row->until;
}

/* One that could not be paid is tried again when the money has changed, or not before the next period. */
static bool is_to_be_asked(const struct package_order *x, const struct period *p)
{
	struct bundle *b = x->bundle;
	money_t free_now = atomic_load(&x->payer->purse->free);
	bool is_new = !b->was_asked || b->asked_begins != p->begins;

	if (!is_new && (x->row->unpaid == PACKAGE_ORDER_UNPAID_NEXT || b->asked_free == free_now))
		return false;
	b->was_asked = true;
	b->asked_begins = p->begins;
	b->asked_free = free_now;
	return true;
}

/* What a period that was cut short comes to, of an amount for the whole. Never more than that, so it fits. */
static int64_t share_of(const struct package_order *x, int64_t amount, const struct period *p,
			const struct period *whole)
{
	const struct package_row *row = x->package->row;
	int64_t share = amount;

	if (row->partial == PACKAGE_PARTIAL_SHARE && row->period != PACKAGE_PERIOD_ONCE)
		(void)money_round((int128_t)amount * (p->ends - p->begins),
				  whole->ends - whole->begins, 1, &share);
	return share;
}

static struct rent *rent_of(const struct package_order *x, const struct period *p,
			    const struct period *whole)
{
	const struct package_row *row = x->package->row;
	struct rent *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	*r = (struct rent){ .account = strdup(x->row->account),
			    .package = strdup(x->row->package),
			    .begins = p->begins,
			    .ends = p->ends,
			    .price = share_of(x, row->price, p, whole),
			    .time_s = share_of(x, row->free_time, p, whole),
			    .step_s = row->step,
			    .money = share_of(x, row->free_money, p, whole) };
	if (r->account && r->package)
		return r;
	rent_free(r);
	return NULL;
}

void packages_look(struct ops *o)
{
	const struct world *w = catalog_world(o->catalog);
	struct booking *desk = ledger_desk(o->hub->ledger, o->hub->workers);
	ms_t now = clock_wall_ms();
	struct period p, whole;

	for (size_t i = 0; i < w->package_orders; i++) {
		const struct package_order *x = &w->package_order[i];

		if (!package_order_is_in_force(x, now) || bundle_at(x->bundle, now))
			continue;
		period_of(x, now, &p, &whole);
		if (!is_to_be_asked(x, &p))
			continue;
		struct rent *r = rent_of(x, &p, &whole);
		if (r && !booking_rent(desk, r))
			rent_free(r);
	}
	booking_flush(desk);
}

static const struct package_order *find(const struct world *w, const struct package_order_row *row)
{
	for (size_t i = 0; row->account && row->package && i < w->package_orders; i++) {
		const struct package_order_row *x = w->package_order[i].row;

		if (strcmp(x->account, row->account) == 0 && strcmp(x->package, row->package) == 0)
			return &w->package_order[i];
	}
	return NULL;
}

static int64_t state_of(const struct package_order *x, const struct allowance *a, ms_t now)
{
	if (package_order_is_in_force(x, now))
		return a ? PACKAGE_ORDER_STATE_ACTIVE : PACKAGE_ORDER_STATE_UNPAID;
	return x->row->until != FIELD_ABSENT && now >= x->row->until ? PACKAGE_ORDER_STATE_OVER
								     : PACKAGE_ORDER_STATE_WAITING;
}

void packages_fill(struct ops *o, struct package_order_row *row)
{
	const struct package_order *x = find(catalog_world(o->catalog), row);
	ms_t now = clock_wall_ms();

	if (!x)
		return;

	const struct allowance *a = bundle_at(x->bundle, now);

	row->state = state_of(x, a, now);
	if (!a)
		return;
	row->begins = a->begins > 0 ? a->begins : FIELD_ABSENT;
	row->ends = a->ends < INT64_MAX ? a->ends : FIELD_ABSENT;
	row->left_time = atomic_load(&a->left_s);
	row->left_money = atomic_load(&a->left_money);
}

int packages_check_order(const struct package_order_row *row, struct err *err)
{
	if (row->from == FIELD_ABSENT || row->until == FIELD_ABSENT || row->from < row->until)
		return 0;
	return err_set(err, ERR_CONFLICT, "until", STR(""), "a time after from",
		       "the order would never be in force");
}
