#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "call/forward.h"
#include "call/numbers.h"
#include "call/pool.h"
#include "call/rank.h"
#include "vendor/enrol.h"

void choice_done(struct choice *c)
{
	if (c->has_line)
		gate_line_give(c->vendor->gate);
	group_lines_give(&c->groups);
	pool_give(&c->pool);
	price_done(&c->cost);
	*c = (struct choice){ 0 };
}

enum { HAD_ITS_TURN = -1, NONE_IS_OPEN = -2 };

/* The open addresses of the lowest rank among those that are not tried yet. */
struct next {
	uint64_t places;
	uint32_t rank;
	uint32_t weight; /* of all of them */
};

static struct next open_places(const struct vendor *v, uint64_t tried)
{
	struct next n = { 0 };

	for (int i = 0; i < v->address_count; i++) {
		const struct spot *s = &v->spot[i];

		if (tried >> i & 1 || !reach_is_open(v->reach[i], v->row->registration) ||
		    (n.places && s->rank > n.rank))
			continue;
		if (n.places && s->rank < n.rank)
			n = (struct next){ 0 };
		n.rank = s->rank;
		n.places |= UINT64_C(1) << i;
		n.weight += s->weight;
	}
	return n;
}

/*
 * Which of the vendor's addresses is next: those that are down, or that we are not registered at, are passed over. Among several of one
 * rank chance decides, by their weights (RFC 2782); without weights, and for who only looks, the first.
 */
static int next_address(const struct inquiry *q, const struct tried *t, const struct vendor *v)
{
	uint64_t tried = 0;

	for (int i = 0; i < t->count; i++) {
		if (t->gate[i] != v->gate)
			continue;
		if (!t->was_local[i])
			return HAD_ITS_TURN;
		tried = t->places[i];
	}

	struct next n = open_places(v, tried);
	uint32_t point = n.weight > 0 && !q->is_dry ? rand_below(n.weight) : 0;

	for (int i = 0; i < v->address_count; i++) {
		if (!(n.places >> i & 1))
			continue;
		if (point < v->spot[i].weight || n.weight == 0)
			return i;
		point -= v->spot[i].weight;
	}
	return tried ? HAD_ITS_TURN : NONE_IS_OPEN;
}

static enum reason skip(struct inquiry *q, const struct vendor *v, enum reason r, const char *why)
{
	trail_add(&q->trail, v->row->name, "skip", "%s: %s", reason_name(r), why);
	return r;
}

/* None of its addresses may be used: which of the two reasons it is, and since when. */
static enum reason skip_closed(struct inquiry *q, const struct vendor *v)
{
	CLEANUP(buf_done) struct buf error = BUF_INIT;
	char since[CLOCK_TEXT];
	ms_t at;

	if (v->address_count == 0)
		return skip(q, v, REASON_ALL_GATEWAY_BUSY, "the address of its name is not known");
	if (vendor_health(v, &at) == REACH_DOWN) {
		trail_add(&q->trail, v->row->name, "skip", "%s: down since %s, last answer %d",
			  reason_name(REASON_ALL_GATEWAY_BUSY), clock_text(at, since),
			  atomic_load(&v->reach[0]->code));
		return REASON_ALL_GATEWAY_BUSY;
	}
	enrol_error_text(atomic_load(&v->reach[0]->place_error), &error);
	trail_add(&q->trail, v->row->name, "skip", "%s: registration %s %s",
		  reason_name(REASON_VENDOR_NOT_REGISTERED), reach_place_name(vendor_place(v)),
		  error.n ? buf_cstr(&error) : "");
	return REASON_VENDOR_NOT_REGISTERED;
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

	struct number number = inquiry_vendor_number(q, v, &c->callee);

	c->cost.purse = v->payer->purse;
	if (!q->is_dry) {
		c->cost.account = strdup(v->payer->row->id);
		if (!c->cost.account)
			return REASON_OVERLOAD;
	}
	if (v->payer->row->status == ACCOUNT_STATUS_LOCKED)
		return REASON_ACCOUNT_LOCKED;
	if (inquiry_vendor_price(q, v, number.digits, inquiry_vendor_caller(q, v, &c->caller),
				 &c->cost, NULL) != REASON_NONE)
		return REASON_NO_RATE;
	return cover_cost(q, c);
}

static enum reason take_line(struct inquiry *q, struct choice *c)
{
	const struct vendor *v = c->vendor;
	bool is_planned = c->plan.line_limit != FIELD_ABSENT;
	uint32_t limit = (uint32_t)(is_planned ? c->plan.line_limit : v->row->line_limit);

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

/* It asked to be left alone, or failed too often; the last check, for it takes the one call of a breaker that is half open. */
static enum reason take_trial(struct inquiry *q, const struct choice *c)
{
	const struct vendor *v = c->vendor;
	ms_t left = hold_left(&v->gate->holds, c->prefix, q->mono_ms);

	if (left > 0 && !inquiry_assumes(q, v, ASSUME_UP)) {
		trail_add(&q->trail, v->row->name, "skip",
			  "%s: held for %lld s more, after Retry-After or failures in a row",
			  reason_name(REASON_ALL_GATEWAY_BUSY), (long long)(left + 999) / 1000);
		return REASON_ALL_GATEWAY_BUSY;
	}
	if (q->is_dry || hold_take_trial(&v->gate->holds, c->prefix,
					 (uint32_t)v->row->breaker_failures, q->mono_ms))
		return REASON_NONE;
	return skip(q, v, REASON_ALL_GATEWAY_BUSY, "one call is trying whether it works again");
}

/* Everything that can keep a call from this vendor; REASON_NONE: it may be sent there. */
static enum reason consider(struct inquiry *q, struct choice *c)
{
	const struct vendor *v = c->vendor;

	if (!source_may_use(q->source, v))
		return q->is_dry ? skip(q, v, REASON_NO_AVAILABLE_ROUTER,
					"in no gateway group of the caller's gateway")
				 : REASON_NO_AVAILABLE_ROUTER;
	if (q->only && q->only != v->gate)
		return REASON_NO_AVAILABLE_ROUTER;
	if (v->row->status == ROUTING_GATEWAY_STATUS_LOCKED)
		return skip(q, v, REASON_ALL_GATEWAY_BUSY, "locked");
	enum reason r = limits_allow(q, v, &c->plan);
	if (r != REASON_NONE)
		return r;
	if (q->is_secure && v->proto != PROTO_TLS)
		return skip(q, v, REASON_NO_AVAILABLE_ROUTER, "a sips call goes by tls alone");
	if (inquiry_assumes(q, v, ASSUME_DOWN))
		return skip(q, v, REASON_ALL_GATEWAY_BUSY, "down, as was assumed");
	if (c->address == NONE_IS_OPEN && !inquiry_assumes(q, v, ASSUME_UP))
		return skip_closed(q, v);
	r = screen_check(&v->screen, q, v->row->name, "skip");
	if (r != REASON_NONE)
		return r;
	r = numbers_out(q, v, &c->callee, &c->caller);
	if (r != REASON_NONE)
		return skip(q, v, r, "its rules leave no number");
	r = find_cost(q, c);
	if (r != REASON_NONE)
		return skip(q, v, r, "clearing account");
	r = margin_allows(q, v, &c->cost);
	if (r != REASON_NONE)
		return r;
	r = take_line(q, c);
	if (r != REASON_NONE) {
		trail_add(&q->trail, v->row->name, "skip",
			  "%s, line_limit %lld, rate_limit %lld, lines in use %u", reason_name(r),
			  (long long)(c->plan.line_limit != FIELD_ABSENT ? c->plan.line_limit
									 : v->row->line_limit),
			  (long long)v->row->rate_limit, atomic_load(&v->gate->lines));
		return REASON_ALL_GATEWAY_BUSY;
	}
	r = group_lines_take(q, v, &c->groups);
	if (r == REASON_NONE)
		r = pool_draw(q, c);
	return r == REASON_NONE ? take_trial(q, c) : r;
}

static struct choice choice_of(const struct inquiry *q, const struct standing *s,
			       const struct tried *tried)
{
	const struct vendor *v = &q->world->vendor[s->vendor];
	struct choice c = { .vendor = v, .address = next_address(q, tried, v) };

	if (c.address == HAD_ITS_TURN)
		return c;
	c.prefix = standing_prefix(q, s);
	limits_plan(q, v, &c.plan);
	return c;
}

/* A choice that is not used: what was reserved goes back. */
static void give_back(struct choice *c)
{
	if (c->cost.held)
		purse_settle(c->cost.purse, c->cost.held, 0);
	choice_done(c);
}

/* Of all that was skipped the caller is told the most telling: money, else lines, else registration, else no route. */
static int weight(enum reason r)
{
	return r == REASON_ACCOUNT_BALANCE_NOT_ENOUGH ? 4
	       : r == REASON_MARGIN_TOO_LOW           ? 3
	       : r == REASON_ALL_GATEWAY_BUSY         ? 2
	       : r == REASON_VENDOR_NOT_REGISTERED    ? 1
						      : 0;
}

static enum reason worse(enum reason a, enum reason b)
{
	return weight(b) > weight(a) ? b : a;
}

static void say_if_none(struct inquiry *q, const struct ranking *found)
{
	if (found->n == 0)
		trail_add(&q->trail, "route", "refuse", "no routing gateway has a prefix of %s",
			  q->callee.digits);
}

enum reason choose(struct inquiry *q, const struct tried *tried, struct choice *ret)
{
	struct ranking found;
	enum reason why = REASON_NO_AVAILABLE_ROUTER;
	const struct phone *phone = world_phone_called(q->world, str_of(q->callee.digits));

	if (phone)
		return choose_phone(q, phone, tried, ret);

	rank(q, &found);
	for (size_t i = 0; i < found.n; i++) {
		struct choice c = choice_of(q, &found.at[i], tried);

		if (c.address == HAD_ITS_TURN)
			continue;

		enum reason r = consider(q, &c);

		if (r == REASON_NONE) {
			*ret = c;
			return REASON_NONE;
		}
		give_back(&c);
		why = worse(why, r);
	}
	say_if_none(q, &found);
	return why;
}

/* What it would cost, and what would be earned. */
static void put_cost(const struct inquiry *q, const struct choice *c, struct buf *out)
{
	int64_t length_s = rank_length_s(q->world->params);
	money_t cost;

	if (!c->cost.is_rated)
		return;
	cost = charge_total(&c->cost.terms, length_s * 1000);
	buf_putz(out, ", costs ");
	buf_put_money(out, cost);
	if (c->cost.origin[0])
		buf_printf(out, " for callers of %s", c->cost.origin);
	if (q->price.is_rated) {
		buf_putz(out, ", earns ");
		buf_put_money(out, charge_total(&q->price.terms, length_s * 1000) - cost);
	}
	buf_printf(out, " in %lld s", (long long)length_s);
}

/* The caller as sent; of a pool the next one, or any of them. */
static void put_pool(const struct choice *c, struct buf *out)
{
	const struct routing_gateway_row *row = c->vendor->row;
	bool is_random = row->caller_pool_order == ROUTING_GATEWAY_CALLER_POOL_ORDER_RANDOM;

	if (!c->vendor->pool || numlist_count(c->vendor->pool) == 0)
		buf_putz(out, c->caller.digits[0] ? c->caller.digits : "no number");
	else if (is_random)
		buf_printf(out, "one of %zu callers of %s", numlist_count(c->vendor->pool),
			   row->caller_pool);
	else
		buf_printf(out, "%s of %s", c->caller.digits, row->caller_pool);
}

static void say_candidate(struct inquiry *q, const struct standing *s, const struct choice *c,
			  int place)
{
	CLEANUP(buf_done) struct buf cost = BUF_INIT, caller = BUF_INIT;
	ms_t since;

	put_cost(q, c, &cost);
	put_pool(c, &caller);
	trail_add(&q->trail, c->vendor->row->name, "candidate",
		  "choice %d, prefix length %u, priority %lld, sends %s%s%s, %s%s", place,
		  s->prefix_len, (long long)c->vendor->row->priority, c->callee.digits,
		  caller.n ? " as " : "", caller.n && buf_cstr(&caller) ? buf_cstr(&caller) : "",
		  reach_health_name(vendor_health(c->vendor, &since)),
		  cost.n && buf_cstr(&cost) ? buf_cstr(&cost) : "");
}

enum reason choose_all(struct inquiry *q)
{
	struct ranking found;
	enum reason why = REASON_NO_AVAILABLE_ROUTER;
	const struct tried none = { .count = 0 };
	int usable = 0;
	const struct phone *phone = world_phone_called(q->world, str_of(q->callee.digits));

	if (phone) {
		struct choice c = { 0 };

		forward_explain(q, phone);
		return choose_phone(q, phone, &(struct tried){ 0 }, &c);
	}

	rank(q, &found);
	for (size_t i = 0; i < found.n; i++) {
		struct choice c = choice_of(q, &found.at[i], &none);
		enum reason r = consider(q, &c);

		if (r == REASON_NONE)
			say_candidate(q, &found.at[i], &c, ++usable);
		else
			why = worse(why, r);
		give_back(&c);
	}
	say_if_none(q, &found);
	return usable ? REASON_NONE : why;
}

void choose_each(struct inquiry *q, choice_fn *on_choice, void *ctx)
{
	struct ranking found;
	const struct tried none = { .count = 0 };

	rank(q, &found);
	for (size_t i = 0; i < found.n; i++) {
		struct choice c = choice_of(q, &found.at[i], &none);

		if (consider(q, &c) == REASON_NONE)
			on_choice(ctx, &c);
		give_back(&c);
	}
}
