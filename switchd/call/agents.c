#include "call/agents.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "rating/share.h"

enum reason agents_open(struct inquiry *q)
{
	enum reason r = REASON_NONE;

	for (const struct payer *p = q->source->payer->agent; p && r == REASON_NONE; p = p->agent)
		r = account_is_open(q, p, "agent");
	return r;
}

/* ---- their prices ---- */

static enum reason rate_one(struct shares *s, const struct payer *p, const struct inquiry *q,
			    ms_t wall_ms)
{
	struct price price = { 0 };

	if (shares_add(s, p->row->id) < 0)
		return REASON_OVERLOAD;
	if (!p->row->rate_group || !p->row->rate_group[0])
		return REASON_NONE;

	enum reason r = price_find(&price, p, q->rated.digits, q->caller.digits, wall_ms, NULL);
	struct share *x = &s->of[s->count - 1];
	if (r != REASON_NONE)
		return r;
	x->is_rated = true;
	x->terms = price.terms;
	x->version = price.version;
	(void)str_copy(x->prefix, sizeof(x->prefix), str_of(price.prefix.digits));
	return REASON_NONE;
}

static void free_shares(struct shares *s)
{
	if (s)
		shares_done(s);
	free(s);
}

/* *ret_last: the one that could not be rated. */
static enum reason rate_all(const struct payer *first, const struct inquiry *q, ms_t wall_ms,
			    struct shares **ret, const struct payer **ret_last)
{
	struct shares *s = calloc(1, sizeof(*s));
	enum reason r = s ? REASON_NONE : REASON_OVERLOAD;

	for (const struct payer *p = first; p && r == REASON_NONE; p = p->agent) {
		*ret_last = p;
		r = rate_one(s, p, q, wall_ms);
	}
	if (r == REASON_NONE)
		*ret = s;
	else
		free_shares(s);
	return r;
}

static void tell(struct inquiry *q)
{
	for (int i = 0; i < q->agents->count; i++) {
		const struct share *x = &q->agents->of[i];
		char price[MONEY_TEXT];

		if (x->is_rated)
			trail_add(&q->trail, "agent", "ok",
				  "%s: prefix %s, version %lld, price %s per %lld s, %lld/%lld",
				  x->agent, x->prefix, (long long)x->version,
				  money_text(x->terms.price, price), (long long)x->terms.unit_s,
				  (long long)x->terms.first_s, (long long)x->terms.step_s);
		else
			trail_add(&q->trail, "agent", "ok", "%s: no rates of its own", x->agent);
	}
}

enum reason agents_rate(struct inquiry *q)
{
	const struct payer *first = q->source->payer->agent, *last = first;

	if (!first || q->is_free)
		return REASON_NONE;

	enum reason r = rate_all(first, q, q->wall_ms, &q->agents, &last);
	if (r == REASON_NONE)
		tell(q);
	else
		trail_add(&q->trail, "agent", "refuse", "%s: %s, group %s, number %s",
			  reason_name(r), last->row->id,
			  last->row->rate_group ? last->row->rate_group : "(none)",
			  q->rated.digits);
	return r;
}

void agents_fix(struct inquiry *q, const struct payer *payer, ms_t wall_ms)
{
	const struct payer *last;
	struct shares *now = NULL;

	if (q->is_free || (!payer->agent && !q->agents))
		return;
	if (payer->agent && rate_all(payer->agent, q, wall_ms, &now, &last) != REASON_NONE)
		return;
	free_shares(q->agents);
	q->agents = now;
}

void agents_done(struct inquiry *q)
{
	free_shares(q->agents);
	q->agents = NULL;
}

/* ---- the record ---- */

void agents_forget(struct cdr_row *r)
{
	free(r->agents);
	free(r->agent);
	r->agents = r->agent = NULL;
	r->agent_fee = r->agent_income = 0;
}

void agents_record(const struct inquiry *q, struct cdr_row *r)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	agents_forget(r);
	if (!q->agents)
		return;
	shares_put(q->agents, &text);
	r->agents = buf_steal(&text);
	r->agent = strdup(q->agents->of[0].agent);
	if (!r->agents || !r->agent) {
		log_at(LOG_ERR, FIELDS(.account = r->account),
		       "record %lld is kept without its agents: memory is short", (long long)r->id);
		agents_forget(r);
	}
}

void agents_settle(struct inquiry *q, struct cdr_row *r, money_t charged)
{
	if (q->agents && shares_compute(q->agents, charged, r->hold_ms) < 0) {
		log_at(LOG_ERR, FIELDS(.account = r->account),
		       "record %lld: what its agents earn does not fit", (long long)r->id);
		agents_forget(r);
		return;
	}
	agents_record(q, r);
	if (!r->agents)
		return;
	r->agent_fee = q->agents->of[0].charge;
	r->agent_income = shares_income(q->agents);
}

money_t agents_leave(const struct inquiry *q, money_t charge, int64_t hold_ms)
{
	for (int i = q->agents ? q->agents->count : 0; i-- > 0;) {
		if (q->agents->of[i].is_rated)
			return charge_total(&q->agents->of[i].terms, hold_ms);
	}
	return charge;
}
