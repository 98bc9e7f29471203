#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/inquiry.h"

int number_set(struct number *n, struct str digits)
{
	return str_copy(n->digits, sizeof(n->digits), digits) < 0 ? -EINVAL : 0;
}

void price_done(struct price *p)
{
	free(p->account);
	*p = (struct price){ 0 };
}

enum reason price_find(struct price *p, const struct payer *payer, const char *digits, ms_t wall_ms)
{
	struct str number = str_of(digits);
	const struct rate *rate =
		payer->tariff ? tariff_find(payer->tariff, number, wall_ms) : NULL;

	if (!rate || rate->is_locked)
		return REASON_NO_RATE;
	tariff_terms(payer->tariff, rate, &p->terms);
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

/* Transforms and the lists that hang on the billed number. */
static enum reason admit_numbers(struct inquiry *q)
{
	char room[NUMBER_MAX + 1];
	struct buf out = buf_fixed(room, sizeof(room));
	struct str callee = str_of(q->callee_in.digits);

	/* The tech prefix has done its work when the gateway was found by it. */
	for (int i = 0; i < q->source->tech_count; i++) {
		if (str_has_prefix(callee, q->source->tech[i])) {
			callee = str_skip(callee, q->source->tech[i].n);
			break;
		}
	}
	if (transform_apply(q->source->callee_rules, callee, &out) < 0 ||
	    number_set(&q->callee, buf_str(&out)) < 0)
		return REASON_NUMBER_INVALID;

	buf_clear(&out);
	if (q->caller_in.digits[0]) {
		if (transform_apply(q->source->caller_rules, str_of(q->caller_in.digits), &out) <
			    0 ||
		    number_set(&q->caller, buf_str(&out)) < 0)
			return REASON_NUMBER_INVALID;
	}
	q->is_free = numlist_has(q->world->free_numbers, str_of(q->callee.digits));
	q->is_hidden = numlist_has(q->world->hidden_numbers, str_of(q->callee.digits));
	trail_add(&q->trail, "numbers", "ok", "%s -> %s, caller %s", q->callee_in.digits,
		  q->callee.digits, q->caller.digits);
	return REASON_NONE;
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
		return refuse_for(q, "mapping gateway", REASON_DESTINATION_FORBIDDEN,
				  "status=locked");
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

static enum reason account_is_open(struct inquiry *q, const struct account_row *a,
				   const struct purse *p)
{
	char balance[MONEY_TEXT], why[MONEY_TEXT + 64];

	if (a->status == ACCOUNT_STATUS_LOCKED)
		return refuse_for(q, "account", REASON_ACCOUNT_LOCKED, "by an operator");
	/* Free numbers pass the automatic lock, never an operator's (behaviour.md, Money). */
	if (a->anti_overdraft && !q->is_free && atomic_load(&p->lock_auto)) {
		(void)snprintf(why, sizeof(why), "by itself: its money is used up, balance %s",
			       money_text(atomic_load(&p->balance), balance));
		return refuse_for(q, "account", REASON_ACCOUNT_LOCKED, why);
	}
	if (a->valid_from != FIELD_ABSENT && q->wall_ms < a->valid_from)
		return refuse_for(q, "account", REASON_ACCOUNT_EXPIRED, "before valid_from");
	if (a->valid_until != FIELD_ABSENT && q->wall_ms >= a->valid_until)
		return refuse_for(q, "account", REASON_ACCOUNT_EXPIRED, "after valid_until");
	return REASON_NONE;
}

static enum reason admit_account(struct inquiry *q)
{
	const struct payer *payer = q->source->payer;
	enum reason r = account_is_open(q, payer->row, payer->purse);

	q->price.purse = payer->purse;
	if (r != REASON_NONE)
		return r;
	if (!meter_allows(q, payer->meter))
		return refuse(q, "account rate_limit", REASON_RATE_LIMIT, payer->row->rate_limit);
	if (q->is_dry) {
		if (payer->row->line_limit &&
		    atomic_load(&payer->purse->calls) >= payer->row->line_limit)
			return refuse(q, "account line_limit", REASON_ACCOUNT_LINE_LIMIT,
				      payer->row->line_limit);
		return REASON_NONE;
	}
	if (!purse_line_take(payer->purse, (uint32_t)payer->row->line_limit))
		return refuse(q, "account line_limit", REASON_ACCOUNT_LINE_LIMIT,
			      payer->row->line_limit);
	q->has_account_line = true;
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
	if (price_find(&q->price, payer, q->callee.digits, q->wall_ms) != REASON_NONE) {
		trail_add(&q->trail, "rate", "refuse", "no rate in group %s for %s",
			  payer->row->rate_group ? payer->row->rate_group : "(none)",
			  q->callee.digits);
		return REASON_NO_RATE;
	}

	char price[MONEY_TEXT];

	trail_add(&q->trail, "rate", "ok",
		  "prefix %s, version %lld, price %s per %lld s, %lld/%lld", q->price.prefix.digits,
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

/* Charge of a talk as long as the longer of the first increment and `ms`. */
static money_t charge_of(const struct terms *t, int64_t ms)
{
	int64_t first_ms = t->first_s * 1000;

	return charge_total(t, ms > first_ms ? ms : first_ms);
}

static enum reason admit_money(struct inquiry *q)
{
	const struct account_row *a = q->source->payer->row;
	int64_t minutes =
		param_int(q->world->params, PARAM_SERVER_BILLING_PREVENT_OVERDRAFT_ADVANCE_TIME);

	q->holds_money = a->anti_overdraft && !q->is_free;
	q->cut_off = a->cut_off && q->holds_money;
	if (!q->holds_money)
		return REASON_NONE;

	money_t need = charge_of(&q->price.terms, minutes > 0 ? minutes * 60000 : 0);
	money_t want = charge_of(&q->price.terms, HOLD_SLICE_MS), held = 0, available;
	struct purse *p = q->price.purse;
	bool fits;

	q->floor = floor_of(a, q->wall_ms);
	if (q->is_dry || atomic_load(&p->dry) > 0) {
		available = atomic_load(&p->free) - q->floor;
		/* While a call runs on beyond its hold no other of the account starts (rating.md). */
		fits = available >= need && atomic_load(&p->dry) == 0;
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
	return fits ? REASON_NONE : REASON_CUSTOMER_BALANCE_NOT_ENOUGH;
}

enum reason admit(struct inquiry *q)
{
	static enum reason (*const steps[])(struct inquiry *) = {
		admit_system, admit_source, admit_numbers, admit_account, admit_rate, admit_money,
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		enum reason r = steps[i](q);

		if (r != REASON_NONE)
			return r;
	}
	return REASON_NONE;
}

bool admit_extend(struct inquiry *q, int64_t reach_ms, int64_t *ret_ms)
{
	const struct terms *t = &q->price.terms;
	money_t more = 0, available;
	money_t need = charge_total(t, reach_ms + 1) - q->price.held;
	money_t want = charge_total(t, reach_ms + HOLD_SLICE_MS) - q->price.held;

	if (!purse_reserve(q->price.purse, q->floor, need, want > need ? want : need, &more,
			   &available))
		return false;
	q->price.held += more;
	*ret_ms = charge_reach_ms(t, q->price.held);
	return true;
}

void admit_release(struct inquiry *q)
{
	if (q->has_account_line)
		purse_line_give(q->price.purse);
	if (q->has_line)
		gate_line_give(q->gate);
	if (q->has_total)
		atomic_fetch_sub(&q->hub->calls, 1);
	q->has_account_line = q->has_line = q->has_total = false;
}

void inquiry_done(struct inquiry *q)
{
	price_done(&q->price);
	trail_done(&q->trail);
}
