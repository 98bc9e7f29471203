#include "call/agents.h"
#include "call/rank.h"

static enum reason refuse(struct inquiry *q, const struct vendor *v, const char *what, money_t sale,
			  money_t cost, money_t limit)
{
	char s[MONEY_TEXT], c[MONEY_TEXT], l[MONEY_TEXT];

	trail_add(&q->trail, v->row->name, "skip", "%s: %s %s, sells at %s, costs %s for %lld s",
		  reason_name(REASON_MARGIN_TOO_LOW), what, money_text(limit, l),
		  money_text(sale, s), money_text(cost, c),
		  (long long)rank_length_s(q->world->params));
	return REASON_MARGIN_TOO_LOW;
}

/* Is a - b less than that percentage of a? */
static bool is_below_percent(money_t a, money_t b, money_t percent)
{
	return (int128_t)(a - b) * 100 * MONEY_ONE < (int128_t)a * percent;
}

enum reason margin_allows(struct inquiry *q, const struct vendor *v, const struct price *cost)
{
	const struct mapping_gateway_row *row = q->source->row;
	int64_t length_s = rank_length_s(q->world->params);
	bool is_guarded =
		row->min_profit != FIELD_ABSENT || row->min_profit_percent != FIELD_ABSENT;
	money_t pays, earns;

	if (!cost->is_rated)
		return REASON_NONE;
	pays = charge_total(&cost->terms, length_s * 1000);
	earns = q->price.is_rated ? charge_total(&q->price.terms, length_s * 1000) : 0;
	earns = agents_leave(q, earns, length_s * 1000);
	if (v->row->price_cap != FIELD_ABSENT &&
	    (int128_t)pays * 60 > (int128_t)v->row->price_cap * length_s)
		return refuse(q, v, "price_cap", earns, pays, v->row->price_cap);
	if (q->is_free || !is_guarded)
		return REASON_NONE;
	if (!str_eq(str_of(v->payer->row->currency), str_of(q->source->payer->row->currency))) {
		trail_add(&q->trail, v->row->name, "skip", "%s: its %s and the customer's %s",
			  reason_name(REASON_MARGIN_TOO_LOW), v->payer->row->currency,
			  q->source->payer->row->currency);
		return REASON_MARGIN_TOO_LOW;
	}
	if (row->min_profit != FIELD_ABSENT && earns - pays < row->min_profit)
		return refuse(q, v, "min_profit", earns, pays, row->min_profit);
	if (row->min_profit_percent != FIELD_ABSENT &&
	    is_below_percent(earns, pays, row->min_profit_percent))
		return refuse(q, v, "min_profit_percent", earns, pays, row->min_profit_percent);
	return REASON_NONE;
}
