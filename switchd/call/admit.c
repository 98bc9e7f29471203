#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "call/agents.h"
#include "call/inquiry.h"
#include "call/numbers.h"
#include "call/packages.h"
#include "call/profiled.h"
#include "call/spending.h"
#include "call/trap.h"
#include "call/watched.h"
#include "number/areas.h"

int number_set(struct number *n, struct str digits)
{
	return str_copy(n->digits, sizeof(n->digits), digits) < 0 ? -EINVAL : 0;
}

void number_join(struct number *n, struct str before, struct str digits)
{
	char room[NUMBER_MAX];
	struct buf out = buf_fixed(room, sizeof(room));

	buf_put(&out, str_head(before, NUMBER_MAX));
	buf_put(&out, str_head(digits, NUMBER_MAX - out.n));
	(void)number_set(n, buf_str(&out));
}

void price_done(struct price *p)
{
	free(p->account);
	*p = (struct price){ 0 };
}

enum reason price_find(struct price *p, const struct payer *payer, const char *digits,
		       const char *caller, ms_t wall_ms, struct tariff_span *span)
{
	struct str number = str_of(digits);
	struct tariff_span unused = TARIFF_SPAN_ALL;
	struct terms terms;
	struct banded found = bands_find(payer->bands, payer->tariff, number, str_of(caller),
					 wall_ms, span ? span : &unused, &terms);
	const struct rate *rate = found.rate;

	if (!rate || rate->is_locked)
		return REASON_NO_RATE;
	(void)str_copy(p->origin, sizeof(p->origin), str_of(tariff_origin(found.tariff, rate)));
	p->terms = terms;
	/* Free time is a gift to customers; it never lowers what a vendor asks (behaviour.md, Money). */
	if (payer->row->kind == ACCOUNT_KIND_CLEARING)
		p->terms.free_time_s = 0;
	(void)number_set(&p->prefix, str_head(number, rate->prefix_len));
	p->version = rate->version;
	p->is_rated = true;
	return REASON_NONE;
}

static enum reason refuse(struct inquiry *q, const char *step, enum reason r, int64_t limit)
{
	trail_add(&q->trail, step, "refuse", "%s, limit %lld", reason_name(r), (long long)limit);
	return r;
}

static enum reason refuse_for(struct inquiry *q, const char *step, enum reason r, const char *why)
{
	trail_add(&q->trail, step, "refuse", "%s, %s", reason_name(r), why);
	return r;
}

/* One more event within its limit? A dry inquiry only looks. */
static bool meter_allows(const struct inquiry *q, struct meter *m)
{
	if (!m)
		return true;
	if (q->is_dry)
		return meter_count(m, q->mono_ms) < meter_limit(m);
	return meter_take(m, q->mono_ms);
}

static enum reason admit_system(struct inquiry *q)
{
	int64_t limit = param_int(q->world->params, PARAM_SS_MAX_CONCURRENT_CALL);
	uint32_t licensed = atomic_load(&q->hub->licensed_lines);
	uint32_t before =
		q->is_dry ? atomic_load(&q->hub->calls) : atomic_fetch_add(&q->hub->calls, 1);

	q->has_total = !q->is_dry;
	if (limit > 0 && before >= limit)
		return refuse(q, "concurrent calls", REASON_SYSTEM_LIMIT, limit);
	if (licensed > 0 && before >= licensed)
		return refuse(q, "licensed lines", REASON_LICENCE_LINES_EXCEEDED, licensed);
	if (!meter_allows(q, q->world->system_meter))
		return refuse(q, "calls per second", REASON_SYSTEM_LIMIT,
			      meter_limit(q->world->system_meter));
	return REASON_NONE;
}

static enum reason admit_source(struct inquiry *q)
{
	const struct mapping_gateway_row *row = q->source->row;

	if (row->status == MAPPING_GATEWAY_STATUS_LOCKED)
		return refuse_for(q, q->source->phone ? "phone" : "mapping gateway",
				  REASON_DESTINATION_FORBIDDEN, "status=locked");
	if (!meter_allows(q, q->source->meter))
		return refuse(q, "gateway rate_limit", REASON_RATE_LIMIT, row->rate_limit);
	if (q->is_dry) {
		if (row->line_limit && atomic_load(&q->source->gate->lines) >= row->line_limit)
			return refuse(q, "gateway line_limit", REASON_LINE_LIMIT, row->line_limit);
		return REASON_NONE;
	}
	if (!gate_line_take(q->source->gate, (uint32_t)row->line_limit))
		return refuse(q, "gateway line_limit", REASON_LINE_LIMIT, row->line_limit);
	q->gate = q->source->gate;
	q->has_line = true;
	return REASON_NONE;
}

static enum reason refuse_account(struct inquiry *q, const struct payer *payer, const char *step,
				  enum reason r, const char *why)
{
	trail_add(&q->trail, step, "refuse", "%s, %s%s%s", reason_name(r), why,
		  payer == q->source->payer ? "" : ": ",
		  payer == q->source->payer ? "" : payer->row->id);
	return r;
}

enum reason account_is_open(struct inquiry *q, const struct payer *payer, const char *step)
{
	const struct account_row *a = payer->row;
	const struct purse *p = payer->purse;
	char balance[MONEY_TEXT], why[MONEY_TEXT + 64];

	if (a->status == ACCOUNT_STATUS_LOCKED)
		return refuse_account(q, payer, step, REASON_ACCOUNT_LOCKED, "by an operator");
	/* Free and white numbers pass the automatic lock, never an operator's (behaviour.md, Money). */
	if (a->anti_overdraft && !q->is_free && !q->callee_is_white && atomic_load(&p->lock_auto) &&
	    !(payer == q->source->payer && packages_at_hand(q, payer))) {
		(void)snprintf(why, sizeof(why), "by itself: its money is used up, balance %s",
			       money_text(atomic_load(&p->balance), balance));
		return refuse_account(q, payer, step, REASON_ACCOUNT_LOCKED, why);
	}
	if (a->valid_from != FIELD_ABSENT && q->wall_ms < a->valid_from)
		return refuse_account(q, payer, step, REASON_ACCOUNT_EXPIRED, "before valid_from");
	if (a->valid_until != FIELD_ABSENT && q->wall_ms >= a->valid_until)
		return refuse_account(q, payer, step, REASON_ACCOUNT_EXPIRED, "after valid_until");
	return REASON_NONE;
}

static void bound_length(struct inquiry *q, int64_t limit_s, const char *by)
{
	if (limit_s <= 0 || (q->longest_s > 0 && q->longest_s <= limit_s))
		return;
	q->longest_s = limit_s;
	q->longest_by = by;
}

static void find_longest(struct inquiry *q)
{
	q->longest_s = 0;
	bound_length(q, q->most_s, "its account's security profile");
	if (param_bool(q->world->params, PARAM_SS_ENABLE_CALL_LIMIT))
		bound_length(q, q->source->payer->row->call_limit, "its account");
	bound_length(q, q->source->row->call_limit,
		     q->source->phone ? "the phone" : "the mapping gateway");
	if (q->is_dry && q->longest_s > 0)
		trail_add(&q->trail, "longest call", "ok", "%lld s, call_limit of %s",
			  (long long)q->longest_s, q->longest_by);
}

static enum reason admit_account(struct inquiry *q)
{
	const struct payer *payer = q->source->payer;
	enum reason r = account_is_open(q, payer, "account");

	q->price.purse = payer->purse;
	find_longest(q);
	if (r != REASON_NONE)
		return r;
	if (!meter_allows(q, payer->meter))
		return refuse(q, "account rate_limit", REASON_RATE_LIMIT, payer->row->rate_limit);
	if (q->is_dry) {
		if (q->most_lines && atomic_load(&payer->purse->calls) >= q->most_lines)
			return refuse(q, "account line_limit", REASON_ACCOUNT_LINE_LIMIT,
				      q->most_lines);
		return REASON_NONE;
	}
	if (!purse_line_take(payer->purse, (uint32_t)q->most_lines))
		return refuse(q, "account line_limit", REASON_ACCOUNT_LINE_LIMIT, q->most_lines);
	q->has_account_line = true;
	return REASON_NONE;
}

enum reason inquiry_price(struct inquiry *q, const struct payer *payer, ms_t wall_ms)
{
	return price_find(&q->price, payer, q->rated.digits, q->caller.digits, wall_ms, NULL);
}

/* What stands before the number that is charged, and why. Areas of this world: the call may have waited since it came. */
static struct str jurisdiction(const struct inquiry *q, struct str number, const char **ret_why)
{
	const struct mapping_gateway_row *row = q->source->row;
	const char *here, *there;

	*ret_why = "";
	if (!row->interstate_prefix && !row->undetermined_prefix)
		return STR("");
	here = areas_find(q->world->areas, str_of(q->caller.digits));
	there = areas_find(q->world->areas, number);
	if (!here || !there) {
		*ret_why = ", the areas are not known";
		return str_of(row->undetermined_prefix);
	}
	if (strcmp(here, there) == 0)
		return STR("");
	*ret_why = ", not the caller's area";
	return str_of(row->interstate_prefix);
}

/* The number that the customer pays by, and its agents. */
static enum reason charged_by(struct inquiry *q)
{
	bool is_ported = q->source->row->rate_number == MAPPING_GATEWAY_RATE_NUMBER_PORTED &&
			 q->ported.digits[0];
	struct str number = str_of(is_ported ? q->ported.digits : q->callee.digits);
	const char *why;
	struct str before = jurisdiction(q, number, &why);

	number_join(&q->rated, before, number);
	if (q->is_referred)
		number_join(&q->rated,
			    param_str(q->world->params, PARAM_SERVER_BILLING_FORWARD_PREFIX),
			    str_of(q->rated.digits));
	if (is_ported || why[0])
		trail_add(&q->trail, "charged number", "ok", "%s%s%s", q->rated.digits,
			  is_ported ? ", ported" : "", why);
	return REASON_NONE;
}

static enum reason admit_rate(struct inquiry *q)
{
	const struct payer *payer = q->source->payer;

	if (!q->is_dry) {
		q->price.account = strdup(payer->row->id);
		if (!q->price.account)
			return REASON_OVERLOAD;
	}
	if (q->is_free) {
		trail_add(&q->trail, "rate", "ok", "free number");
		return REASON_NONE;
	}
	if (inquiry_price(q, payer, q->wall_ms) != REASON_NONE) {
		trail_add(&q->trail, "rate", "refuse", "no rate in group %s for %s%s",
			  payer->row->rate_group ? payer->row->rate_group : "(none)",
			  q->rated.digits, q->is_referred ? ", transferred or forwarded" : "");
		return REASON_NO_RATE;
	}

	char price[MONEY_TEXT];
	const char *origin = q->price.origin;

	trail_add(&q->trail, "rate", "ok",
		  "prefix %s%s%s, version %lld, price %s per %lld s, %lld/%lld",
		  q->price.prefix.digits, origin[0] ? " for callers of " : "", origin,
		  (long long)q->price.version, money_text(q->price.terms.price, price),
		  (long long)q->price.terms.unit_s, (long long)q->price.terms.first_s,
		  (long long)q->price.terms.step_s);
	return REASON_NONE;
}

/* -limit_money, less what an operator allowed for now. */
static money_t floor_of(const struct account_row *a, ms_t wall_ms)
{
	bool allowed = a->overdraft_until == FIELD_ABSENT || wall_ms < a->overdraft_until;

	return -(a->limit_money + (allowed && a->overdraft != FIELD_ABSENT ? a->overdraft : 0));
}

static int64_t longer(int64_t a_ms, int64_t b_ms)
{
	return a_ms > b_ms ? a_ms : b_ms;
}

/* What packages hold for it goes before any money. */
static void hold_packages(struct inquiry *q, int64_t advance_ms)
{
	struct given sum;
	char money[MONEY_TEXT];

	packages_hold(q, q->source->payer, longer(advance_ms, HOLD_SLICE_MS));
	if (q->gift.count == 0)
		return;
	gift_sum(&q->gift, &sum);
	trail_add(&q->trail, "packages", "ok", "%lld s and %s are free", (long long)sum.seconds,
		  money_text(sum.money, money));
}

/* Whoever only looks is told how long a call could last. */
static void say_reach(struct inquiry *q, money_t available)
{
	int64_t reach_ms = packages_reach_ms(q, available);

	if (q->is_dry && reach_ms > (int64_t)365 * DAY_MS)
		trail_add(&q->trail, "money", "ok", "enough for a call of any length");
	else if (q->is_dry)
		trail_add(&q->trail, "money", "ok", "enough for a call of %lld s",
			  (long long)reach_ms / 1000);
}

static enum reason hold_money(struct inquiry *q, money_t need, money_t want)
{
	struct purse *p = q->price.purse;
	money_t held = 0, available = atomic_load(&p->free) - q->floor;
	bool is_locked = atomic_load(&p->lock_auto) && !q->callee_is_white;
	bool fits;

	/* Wholly paid by packages: neither balance nor lock matter. */
	if (q->gift.count > 0 && need <= 0 && want <= 0)
		return REASON_NONE;
	if (q->is_dry || is_locked || atomic_load(&p->dry) > 0) {
		/* While a call runs on beyond its hold no other of the account starts (rating.md). */
		fits = available >= need && atomic_load(&p->dry) == 0 && !is_locked;
	} else {
		fits = purse_reserve(p, q->floor, need, want, &held, &available);
		q->price.held = held;
	}

	char n[MONEY_TEXT], v[MONEY_TEXT], b[MONEY_TEXT], h[MONEY_TEXT];
	money_t balance = atomic_load(&p->balance);

	trail_add(&q->trail, "money", fits ? "ok" : "refuse",
		  "need %s, available %s, balance %s, holds %s", money_text(need, n),
		  money_text(available, v), money_text(balance, b),
		  money_text(balance - q->floor - available, h));
	if (fits) {
		say_reach(q, available);
		return REASON_NONE;
	}
	return is_locked ? REASON_ACCOUNT_LOCKED : REASON_CUSTOMER_BALANCE_NOT_ENOUGH;
}

static enum reason admit_money(struct inquiry *q)
{
	const struct account_row *a = q->source->payer->row;
	int64_t minutes =
		param_int(q->world->params, PARAM_SERVER_BILLING_PREVENT_OVERDRAFT_ADVANCE_TIME);
	int64_t first_ms = q->price.terms.first_s * 1000;
	int64_t advance_ms = longer(first_ms, minutes > 0 ? minutes * 60000 : 0);
	int64_t slice_ms = longer(first_ms, HOLD_SLICE_MS);

	q->holds_money = a->anti_overdraft && !q->is_free;
	q->cut_off = a->cut_off && q->holds_money;
	q->has_packages = q->source->payer->orders > 0 && !q->is_free;
	if (q->is_free)
		return REASON_NONE;
	if (q->has_packages)
		hold_packages(q, longer(advance_ms, slice_ms));

	money_t need = packages_charge(q, advance_ms);

	packages_trim(q, slice_ms);
	q->floor = floor_of(a, q->wall_ms);
	return q->holds_money ? hold_money(q, need, packages_charge(q, slice_ms)) : REASON_NONE;
}

struct number inquiry_routed(const struct inquiry *q)
{
	struct number n = q->split;
	size_t at = strlen(n.digits);
	const struct number *where = q->ported.digits[0] ? &q->ported : &q->callee;
	struct str rest = str_head(str_of(where->digits), NUMBER_MAX - at);

	memcpy(n.digits + at, rest.p, rest.n);
	return n;
}

static const struct number *costed(const struct inquiry *q, const struct vendor *v,
				   const struct number *sent)
{
	if (q->ported.digits[0])
		return &q->ported;
	return v && v->row->cost_number == ROUTING_GATEWAY_COST_NUMBER_BEFORE ? &q->callee : sent;
}

struct number inquiry_vendor_number(const struct inquiry *q, const struct vendor *v,
				    const struct number *sent)
{
	struct str before = param_str(q->world->params, PARAM_SERVER_BILLING_GATEWAY_ROUTE_PREFIX);
	struct number n;

	number_join(&n, before, str_of(costed(q, v, sent)->digits));
	return n;
}

/* The customer's calls are divided among routing prefixes: each call takes its turn. */
static enum reason admit_split(struct inquiry *q)
{
	const struct split *s = &q->source->split;
	_Atomic uint64_t *turns = &q->source->gate->split_turn;
	uint64_t turn;
	int at;

	if (s->count == 0)
		return REASON_NONE;
	turn = q->is_dry ? atomic_load(turns) : atomic_fetch_add(turns, 1);
	at = split_at(s, turn);
	if (at < 0) {
		trail_add(&q->trail, "split", "ok", "routed by the number alone");
		return REASON_NONE;
	}
	(void)number_set(&q->split, str_of(s->item[at].prefix));
	trail_add(&q->trail, "split", "ok", "routed with prefix %s, %u%% of the calls",
		  q->split.digits, s->item[at].percent);
	return REASON_NONE;
}

typedef enum reason step_fn(struct inquiry *q);

static enum reason go_through(struct inquiry *q, step_fn *const steps[])
{
	enum reason r = REASON_NONE;

	for (size_t i = 0; steps[i] && r == REASON_NONE; i++)
		r = steps[i](q);
	return r;
}

enum reason admit(struct inquiry *q)
{
	static step_fn *const steps[] = {
		/* clang-format off */
		admit_system,
		admit_source,
		numbers_in,
		trap_check,
		numbers_screen,
		admit_profile,
		watched_begin,
		agents_open,
		admit_account,
		NULL,
		/* clang-format on */
	};

	return go_through(q, steps);
}

enum reason admit_price(struct inquiry *q)
{
	static step_fn *const steps[] = {
		/* clang-format off */
		charged_by,
		admit_rate,
		agents_rate,
		admit_spend,
		admit_money,
		admit_split,
		NULL,
		/* clang-format on */
	};

	return go_through(q, steps);
}

enum reason admit_again(struct inquiry *q)
{
	static step_fn *const steps[] = {
		/* clang-format off */
		numbers_in,
		numbers_screen,
		admit_profile,
		charged_by,
		admit_rate,
		admit_split,
		NULL,
		/* clang-format on */
	};

	return go_through(q, steps);
}

bool admit_extend(struct inquiry *q, int64_t reach_ms, int64_t *ret_ms)
{
	money_t more = 0, available;

	if (q->has_packages)
		packages_hold(q, world_payer(q->world, q->price.account), reach_ms + HOLD_SLICE_MS);
	if (!q->holds_money) {
		*ret_ms = reach_ms + HOLD_SLICE_MS;
		return true;
	}

	money_t need = packages_charge(q, reach_ms + 1) - q->price.held;
	money_t want = packages_charge(q, reach_ms + HOLD_SLICE_MS) - q->price.held;

	if (want < need)
		want = need;
	if (want > 0 && !purse_reserve(q->price.purse, q->floor, need, want, &more, &available))
		return false;
	q->price.held += more;
	*ret_ms = packages_reach_ms(q, q->price.held);
	return true;
}

void admit_release(struct inquiry *q)
{
	packages_release(q);
	if (q->has_account_line)
		purse_line_give(q->price.purse);
	if (q->has_line)
		gate_line_give(q->gate);
	if (q->has_total)
		atomic_fetch_sub(&q->hub->calls, 1);
	q->has_account_line = q->has_line = q->has_total = false;
}

const struct assumption *inquiry_assumes(const struct inquiry *q, const struct vendor *v, int what)
{
	for (size_t i = 0; i < q->assumed; i++)
		if (q->assume[i].gate == v->gate && (int)q->assume[i].what == what)
			return &q->assume[i];
	return NULL;
}

const char *inquiry_vendor_caller(const struct inquiry *q, const struct vendor *v,
				  const struct number *sent)
{
	return v && v->row->cost_number == ROUTING_GATEWAY_COST_NUMBER_BEFORE ? q->caller.digits
									      : sent->digits;
}

enum reason inquiry_vendor_price(const struct inquiry *q, const struct vendor *v,
				 const char *digits, const char *caller, struct price *ret,
				 struct tariff_span *span)
{
	const struct assumption *a = inquiry_assumes(q, v, ASSUME_PRICE);
	enum reason r = price_find(ret, v->payer, digits, caller, q->wall_ms, span);

	if (r == REASON_NONE && a)
		ret->terms.price = a->price;
	return r;
}

void inquiry_done(struct inquiry *q)
{
	price_done(&q->price);
	agents_done(q);
	trail_done(&q->trail);
}
