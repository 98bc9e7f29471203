#include "call/rank.h"

#include <stdlib.h>

#include "route/share.h"

enum criterion { BY_NOTHING, BY_COST, BY_QUALITY, BY_PREFIX, BY_WEIGHT, BY_FREE_LINES };

enum { CRITERIA = 2 };

/* What comes between "protected last" and "priority, then name". */
struct policy {
	enum criterion by[CRITERIA];
};

static bool looks_at(const struct policy *p, enum criterion c)
{
	for (int i = 0; i < CRITERIA; i++)
		if (p->by[i] == c)
			return true;
	return false;
}

bool rank_window(const struct params *p, struct score_window *ret)
{
	int64_t s = param_int(p, PARAM_SS_GATEWAY_ASR_RESERVE_TIME);
	int64_t parts = param_int(p, PARAM_SS_GATEWAY_ASR_RESERVE_SEPARATE);

	ret->parts = parts > 0 && parts <= SCORE_PARTS ? (int)parts : SCORE_PARTS / 2;
	ret->part_ms = (s > 0 ? s : 1800) * 1000 / ret->parts;
	return param_bool(p, PARAM_SS_GATEWAY_ASR_CALCULATE);
}

uint64_t standing_prefix(const struct inquiry *q, const struct standing *s)
{
	struct number routed = inquiry_routed(q);

	return hold_key(str_head(str_of(routed.digits), s->prefix_len));
}

/* ---- which policy ---- */

/* The lower place comes first; at the same one SS_GATEWAY_FEE_RATE_ROUTE_BEFORE_ASR decides. */
static struct policy of_system(const struct params *p)
{
	int64_t cost = param_int(p, PARAM_SS_GATEWAY_FEE_RATE_ROUTE_SORT_CONFIG);
	int64_t quality = param_int(p, PARAM_SS_GATEWAY_ASR_ROUTE_SORT_CONFIG);
	bool cost_first = param_bool(p, PARAM_SS_GATEWAY_FEE_RATE_ROUTE_BEFORE_ASR);

	if (cost <= 0 && quality <= 0)
		return (struct policy){ { BY_PREFIX } };
	if (quality <= 0)
		return (struct policy){ { BY_COST } };
	if (cost <= 0)
		return (struct policy){ { BY_QUALITY } };
	if (cost < quality || (cost == quality && cost_first))
		return (struct policy){ { BY_COST, BY_QUALITY } };
	return (struct policy){ { BY_QUALITY, BY_COST } };
}

static enum criterion then_by(const struct mapping_gateway_row *row)
{
	return row->policy_then == MAPPING_GATEWAY_POLICY_THEN_COST      ? BY_COST
	       : row->policy_then == MAPPING_GATEWAY_POLICY_THEN_QUALITY ? BY_QUALITY
									 : BY_NOTHING;
}

static struct policy policy_of(const struct inquiry *q)
{
	const struct mapping_gateway_row *row = q->source->row;
	enum criterion then = then_by(row);

	switch (row->policy) {
	case MAPPING_GATEWAY_POLICY_SYSTEM:
		return of_system(q->world->params);
	case MAPPING_GATEWAY_POLICY_COST:
		return (struct policy){ { BY_COST, then } };
	case MAPPING_GATEWAY_POLICY_QUALITY:
		return (struct policy){ { BY_QUALITY, then } };
	case MAPPING_GATEWAY_POLICY_WEIGHT:
		return (struct policy){ { BY_PREFIX, BY_WEIGHT } };
	case MAPPING_GATEWAY_POLICY_FREE_LINES:
		return (struct policy){ { BY_PREFIX, BY_FREE_LINES } };
	default:
		return (struct policy){ { BY_PREFIX, then } };
	}
}

static bool is_routers_own(const struct policy *p)
{
	return p->by[0] == BY_PREFIX && p->by[1] == BY_NOTHING;
}

/* ---- keys: less comes first ---- */

enum { RANK_KEYS = 4 };

/* On its way to its place. */
struct placed {
	int64_t key[RANK_KEYS];
	struct standing s;
};

static const struct vendor *vendor_of(const struct inquiry *q, const struct standing *s)
{
	return &q->world->vendor[s->vendor];
}

/* Zeros while nothing is measured. */
static struct score_sum score_of(const struct inquiry *q, const struct standing *s)
{
	struct score_sum sum = { 0 };
	struct score_window w;

	if (rank_window(q->world->params, &w))
		score_read(scores_find(&vendor_of(q, s)->gate->scores, standing_prefix(q, s)), w,
			   q->mono_ms, &sum);
	return sum;
}

static int64_t lines_taken(const struct vendor *v)
{
	enum { NO_LIMIT = 1000000 };
	int64_t limit = v->row->line_limit > 0 ? v->row->line_limit : NO_LIMIT;

	return (int64_t)atomic_load(&v->gate->lines) - limit;
}

static int64_t key_of(const struct inquiry *q, const struct standing *s, enum criterion by)
{
	struct score_sum score;

	switch (by) {
	case BY_COST:
		return s->price;
	case BY_QUALITY:
		score = score_of(q, s);
		return score_rank(&score);
	case BY_PREFIX:
		return -(int64_t)s->prefix_len * ROUTE_PRIORITY_MAX + s->priority;
	case BY_FREE_LINES:
		return lines_taken(vendor_of(q, s));
	default:
		return 0;
	}
}

static struct placed place(const struct inquiry *q, const struct policy *p,
			   const struct standing *s)
{
	struct placed ret = { .key[0] = s->is_protected, .s = *s };

	for (int i = 0; i < CRITERIA; i++)
		ret.key[i + 1] = key_of(q, s, p->by[i]);
	ret.key[CRITERIA + 1] = s->priority;
	return ret;
}

static int compare_keys(const struct placed *a, const struct placed *b)
{
	for (int i = 0; i < RANK_KEYS; i++)
		if (a->key[i] != b->key[i])
			return a->key[i] < b->key[i] ? -1 : 1;
	return 0;
}

/* Vendors stand in the world in the order of their names. */
static int compare(const void *va, const void *vb)
{
	const struct placed *a = va, *b = vb;
	int r = compare_keys(a, b);

	return r ? r : (a->s.vendor > b->s.vendor) - (a->s.vendor < b->s.vendor);
}

/* ---- shared by weight ---- */

/* Draws one after the other from those that stand equal. */
static void draw(const struct inquiry *q, struct placed *s, size_t n)
{
	for (; n > 1; s++, n--) {
		int64_t common = 0, total = 0, at;
		size_t i = 0;

		for (size_t k = 0; k < n; k++)
			common = share_gcd(vendor_of(q, &s[k].s)->row->weight, common);
		for (size_t k = 0; k < n; k++)
			total += vendor_of(q, &s[k].s)->row->weight / common;
		at = share_place(q->turn, total);
		while ((at -= vendor_of(q, &s[i].s)->row->weight / common) >= 0)
			i++;

		struct placed chosen = s[i];

		for (; i > 0; i--)
			s[i] = s[i - 1];
		s[0] = chosen;
	}
}

/* The turn belongs to what is shared: the first gateway's calls of that prefix. */
static void share(struct inquiry *q, struct placed *s, size_t n)
{
	if (n > 0 && !q->has_turn) {
		struct scores *all = &vendor_of(q, &s[0].s)->gate->scores;
		uint64_t prefix = standing_prefix(q, &s[0].s);
		struct score *of = q->is_dry ? scores_find(all, prefix) : scores_get(all, prefix);

		q->turn = score_turn(of, q->is_dry);
		q->has_turn = true;
	}
	for (size_t from = 0, to; from < n; from = to) {
		to = from + 1;
		while (to < n && compare_keys(&s[from], &s[to]) == 0)
			to++;
		draw(q, s + from, to - from);
	}
}

/* ---- what is said about it ---- */

static const char *name_of(enum criterion by)
{
	static const char *const names[] = { [BY_NOTHING] = "",
					     [BY_COST] = "cost",
					     [BY_QUALITY] = "quality",
					     [BY_PREFIX] = "longest prefix, then priority",
					     [BY_WEIGHT] = "share by weight",
					     [BY_FREE_LINES] = "most free lines" };

	return names[by];
}

static void put_quality(const struct inquiry *q, const struct standing *s, struct buf *out)
{
	struct score_sum score = score_of(q, s);

	buf_printf(out, " %lld%% of %lld, %lld s, %lld ms", (long long)score_asr(&score),
		   (long long)score.tries, (long long)score_acd_s(&score),
		   (long long)score_pdd_ms(&score));
}

static void put_standing(const struct inquiry *q, const struct policy *p, const struct standing *s,
			 struct buf *out)
{
	const struct vendor *v = vendor_of(q, s);

	buf_putz(out, v->row->name);
	if (looks_at(p, BY_COST)) {
		buf_putc(out, ' ');
		if (s->price != INT64_MAX)
			buf_put_money(out, s->price);
		else
			buf_putz(out, "no price");
	}
	if (looks_at(p, BY_QUALITY))
		put_quality(q, s, out);
	if (looks_at(p, BY_WEIGHT))
		buf_printf(out, " %lld", (long long)v->row->weight);
	if (looks_at(p, BY_FREE_LINES))
		buf_printf(out, " %u in use", atomic_load(&v->gate->lines));
}

/* Once a call, and the first few of many. */
static void say_order(struct inquiry *q, const struct policy *p, const struct standing *s, size_t n)
{
	enum { SAID = 8 };
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (q->has_order || (is_routers_own(p) && !q->is_dry))
		return;
	q->has_order = true;
	for (int i = 0; i < CRITERIA && p->by[i]; i++)
		buf_printf(&text, "%s%s", i ? ", then " : "", name_of(p->by[i]));
	for (size_t i = 0; i < n && i < SAID; i++) {
		buf_putz(&text, i ? "; " : ": ");
		put_standing(q, p, &s[i], &text);
	}
	if (n > SAID)
		buf_printf(&text, "; %zu more", n - SAID);
	trail_add(&q->trail, "order", "ok", "%s", buf_cstr(&text) ? buf_cstr(&text) : "");
}

/* Time plans may give some of them another priority now: written to the room. */
static bool ask_plans(const struct inquiry *q, struct ranking *r)
{
	struct timeplan_verdict plan;
	bool is_planned = false;

	for (size_t i = 0; r->has_plans && i < r->n; i++) {
		r->room[i] = r->at[i];
		if (!r->at[i].has_plans)
			continue;
		limits_plan(q, vendor_of(q, &r->at[i]), &plan);
		if (plan.priority != FIELD_ABSENT) {
			r->room[i].priority = (uint8_t)plan.priority;
			is_planned = true;
		}
	}
	if (is_planned)
		r->at = r->room;
	return is_planned;
}

static bool is_by_price_alone(const struct policy *p)
{
	return p->by[0] == BY_COST && p->by[1] == BY_NOTHING;
}

static void sort(struct inquiry *q, const struct policy *p, struct ranking *r)
{
	struct placed all[ROUTE_CANDIDATES];

	for (size_t i = 0; i < r->n; i++)
		all[i] = place(q, p, &r->at[i]);
	qsort(all, r->n, sizeof(*all), compare);
	if (looks_at(p, BY_WEIGHT))
		share(q, all, r->n);
	for (size_t i = 0; i < r->n; i++)
		r->room[i] = all[i].s;
	r->at = r->room;
}

bool rank_is_fixed(const struct inquiry *q)
{
	struct policy p = policy_of(q);

	return q->source->split.count == 0 && !looks_at(&p, BY_WEIGHT) &&
	       !looks_at(&p, BY_FREE_LINES) && !looks_at(&p, BY_QUALITY);
}

void rank(struct inquiry *q, struct ranking *ret)
{
	struct policy p = policy_of(q);
	bool is_planned;

	if (looks_at(&p, BY_COST))
		prices_find(q, ret);
	else
		prices_skip(q, ret);
	is_planned = ask_plans(q, ret);
	if (is_planned || !(is_routers_own(&p) || is_by_price_alone(&p)))
		sort(q, &p, ret);
	if (ret->n > 0)
		say_order(q, &p, ret->at, ret->n);
}
