#include <stdlib.h>
#include <string.h>

#include "call/inquiry.h"

void choice_done(struct choice *c)
{
	if (c->has_line)
		gate_line_give(c->vendor->gate);
	price_done(&c->cost);
	*c = (struct choice){ 0 };
}

/* Which of the vendor's addresses is next: -1 when it has had its turn. */
static int next_address(const struct tried *t, const struct vendor *v)
{
	for (int i = 0; i < t->count; i++) {
		if (t->gate[i] == v->gate)
			return t->was_local[i] && t->addresses[i] < v->address_count
				       ? t->addresses[i]
				       : -1;
	}
	return 0;
}

static enum reason skip(struct inquiry *q, const struct vendor *v, enum reason r, const char *why)
{
	trail_add(&q->trail, v->row->name, "skip", "%s: %s", reason_name(r), why);
	return r;
}

static enum reason rewrite(const struct transform *rules, const struct number *in,
			   struct number *ret)
{
	char room[NUMBER_MAX + 1];
	struct buf out = buf_fixed(room, sizeof(room));

	if (!in->digits[0]) {
		*ret = *in;
		return REASON_NONE;
	}
	if (transform_apply(rules, str_of(in->digits), &out) < 0 ||
	    number_set(ret, buf_str(&out)) < 0)
		return REASON_NUMBER_INVALID;
	return REASON_NONE;
}

/* Reserves the vendor's money if clearing accounts are verified (SERVER_VERIFY_CLEARING_CUSTOMER). */
static enum reason cover_cost(struct inquiry *q, struct choice *c)
{
	const struct params *p = q->world->params;

	if (!param_bool(p, PARAM_SERVER_VERIFY_CLEARING_CUSTOMER))
		return REASON_NONE;

	money_t floor = param_int(p, PARAM_SERVER_VERIFY_CLEARING_CUSTOMER_REMAIN_MONEY_LIMIT);
	money_t need = charge_total(&c->cost.terms, c->cost.terms.first_s * 1000), available;

	if (q->is_dry)
		return atomic_load(&c->cost.purse->free) - floor >= need
			       ? REASON_NONE
			       : REASON_ACCOUNT_BALANCE_NOT_ENOUGH;
	if (!purse_reserve(c->cost.purse, floor, need, charge_total(&c->cost.terms, HOLD_SLICE_MS),
			   &c->cost.held, &available))
		return REASON_ACCOUNT_BALANCE_NOT_ENOUGH;
	return REASON_NONE;
}

/* A vendor with a clearing account must have a rate: never a cost of 0 by accident. */
static enum reason find_cost(struct inquiry *q, struct choice *c)
{
	const struct vendor *v = c->vendor;

	if (!v->payer)
		return REASON_NONE;

	bool before = v->row->cost_number == ROUTING_GATEWAY_COST_NUMBER_BEFORE;
	const char *digits = before ? q->callee.digits : c->callee.digits;

	c->cost.purse = v->payer->purse;
	if (!q->is_dry) {
		c->cost.account = strdup(v->payer->row->id);
		if (!c->cost.account)
			return REASON_OVERLOAD;
	}
	if (v->payer->row->status == ACCOUNT_STATUS_LOCKED)
		return REASON_ACCOUNT_LOCKED;
	if (price_find(&c->cost, v->payer, digits, q->wall_ms) != REASON_NONE)
		return REASON_NO_RATE;
	return cover_cost(q, c);
}

static enum reason take_line(struct inquiry *q, struct choice *c)
{
	const struct vendor *v = c->vendor;
	uint32_t limit = (uint32_t)v->row->line_limit;

	if (q->is_dry) {
		if (limit && atomic_load(&v->gate->lines) >= limit)
			return REASON_LINE_LIMIT;
		return v->meter && meter_count(v->meter, q->mono_ms) >= meter_limit(v->meter)
			       ? REASON_RATE_LIMIT
			       : REASON_NONE;
	}
	if (!gate_line_take(v->gate, limit))
		return REASON_LINE_LIMIT;
	c->has_line = true;
	return !v->meter || meter_take(v->meter, q->mono_ms) ? REASON_NONE : REASON_RATE_LIMIT;
}

/* Everything that can keep a call from this vendor; REASON_NONE: it may be sent there. */
static enum reason consider(struct inquiry *q, struct choice *c)
{
	const struct vendor *v = c->vendor;

	if (v->row->status == ROUTING_GATEWAY_STATUS_LOCKED)
		return skip(q, v, REASON_ALL_GATEWAY_BUSY, "locked");
	enum reason r = rewrite(v->callee_rules, &q->callee, &c->callee);
	if (r == REASON_NONE)
		r = rewrite(v->caller_rules, &q->caller, &c->caller);
	if (r != REASON_NONE)
		return skip(q, v, r, "its rules leave no number");
	r = find_cost(q, c);
	if (r != REASON_NONE)
		return skip(q, v, r, "clearing account");
	r = take_line(q, c);
	if (r != REASON_NONE) {
		trail_add(&q->trail, v->row->name, "skip",
			  "%s, line_limit %lld, rate_limit %lld, lines in use %u", reason_name(r),
			  (long long)v->row->line_limit, (long long)v->row->rate_limit,
			  atomic_load(&v->gate->lines));
		return REASON_ALL_GATEWAY_BUSY;
	}
	return REASON_NONE;
}

/* A choice that is not used: what was reserved goes back. */
static void give_back(struct choice *c)
{
	if (c->cost.held)
		purse_settle(c->cost.purse, c->cost.held, 0);
	choice_done(c);
}

/* Of all that was skipped the caller is told the most telling: money, else lines, else no route. */
static enum reason worse(enum reason a, enum reason b)
{
	if (a == REASON_ACCOUNT_BALANCE_NOT_ENOUGH || b == REASON_NO_AVAILABLE_ROUTER)
		return a;
	if (b == REASON_ACCOUNT_BALANCE_NOT_ENOUGH)
		return b;
	return a == REASON_NO_AVAILABLE_ROUTER && b == REASON_ALL_GATEWAY_BUSY ? b : a;
}

enum reason choose(struct inquiry *q, const struct tried *tried, struct choice *ret)
{
	struct candidate found[ROUTE_CANDIDATES];
	size_t n = router_find(q->world->router, str_of(q->callee.digits), found);
	enum reason why = REASON_NO_AVAILABLE_ROUTER;

	for (size_t i = 0; i < n; i++) {
		struct choice c = { .vendor = &q->world->vendor[found[i].gateway] };

		c.address = next_address(tried, c.vendor);
		if (c.address < 0)
			continue;

		enum reason r = consider(q, &c);

		if (r == REASON_NONE) {
			*ret = c;
			return REASON_NONE;
		}
		give_back(&c);
		why = worse(why, r);
	}
	if (n == 0)
		trail_add(&q->trail, "route", "refuse", "no routing gateway has a prefix of %s",
			  q->callee.digits);
	return why;
}

enum reason choose_all(struct inquiry *q)
{
	struct candidate found[ROUTE_CANDIDATES];
	size_t n = router_find(q->world->router, str_of(q->callee.digits), found);
	enum reason why = REASON_NO_AVAILABLE_ROUTER;
	int usable = 0;

	for (size_t i = 0; i < n; i++) {
		struct choice c = { .vendor = &q->world->vendor[found[i].gateway] };
		enum reason r = consider(q, &c);

		if (r == REASON_NONE)
			trail_add(&q->trail, c.vendor->row->name, "candidate",
				  "choice %d, prefix length %u, priority %lld, sends %s as %s",
				  ++usable, found[i].prefix_len, (long long)c.vendor->row->priority,
				  c.callee.digits, c.caller.digits);
		else
			why = worse(why, r);
		give_back(&c);
	}
	return usable ? REASON_NONE : why;
}
