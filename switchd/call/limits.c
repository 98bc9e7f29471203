#include "call/inquiry.h"

/* ---- gateway groups ---- */

static bool is_own_group(const struct source *s, const struct group *g)
{
	for (int i = 0; i < s->group_count; i++)
		if (s->group[i]->gate == g->gate)
			return true;
	return false;
}

bool source_may_use(const struct source *s, const struct vendor *v)
{
	for (int i = 0; i < v->group_count; i++)
		if (is_own_group(s, v->group[i]))
			return true;
	return s->group_count == 0;
}

/* Lines that are kept for the group's own customers and not in use by them. */
static int64_t kept_free(const struct group *g)
{
	int64_t kept = g->row->reserved - (int64_t)atomic_load(&g->gate->own_lines);

	return kept > 0 ? kept : 0;
}

static bool has_room(const struct group *g, int64_t lines, bool is_own)
{
	return g->limit == 0 || lines + (is_own ? 0 : kept_free(g)) < g->limit;
}

static bool take_one(const struct group *g, bool is_own, struct group_lines *ret)
{
	int64_t before = atomic_fetch_add(&g->gate->lines, 1);

	if (!has_room(g, before, is_own)) {
		atomic_fetch_sub(&g->gate->lines, 1);
		return false;
	}
	if (is_own)
		atomic_fetch_add(&g->gate->own_lines, 1);
	ret->taken[ret->count].gate = g->gate;
	ret->taken[ret->count++].is_own = is_own;
	return true;
}

void group_lines_give(struct group_lines *g)
{
	for (int i = 0; i < g->count; i++) {
		atomic_fetch_sub(&g->taken[i].gate->lines, 1);
		if (g->taken[i].is_own)
			atomic_fetch_sub(&g->taken[i].gate->own_lines, 1);
	}
	g->count = 0;
}

enum reason group_lines_take(struct inquiry *q, const struct vendor *v, struct group_lines *ret)
{
	for (int i = 0; i < v->group_count; i++) {
		const struct group *g = v->group[i];
		bool is_own = is_own_group(q->source, g);
		bool fits = q->is_dry ? has_room(g, atomic_load(&g->gate->lines), is_own)
				      : take_one(g, is_own, ret);

		if (fits)
			continue;
		group_lines_give(ret);
		trail_add(&q->trail, v->row->name, "skip",
			  "%s: gateway group %s, %u of %lld lines in use, %lld kept for its own",
			  reason_name(REASON_ALL_GATEWAY_BUSY), g->row->name,
			  atomic_load(&g->gate->lines), (long long)g->limit,
			  (long long)kept_free(g));
		return REASON_ALL_GATEWAY_BUSY;
	}
	return REASON_NONE;
}

/* ---- time plans and days ---- */

int64_t vendor_day(const struct vendor *v, ms_t wall_ms)
{
	return (wall_ms + (v->day_zone ? zone_offset(v->day_zone, wall_ms) : 0)) / DAY_MS;
}

void limits_plan(const struct inquiry *q, const struct vendor *v, struct timeplan_verdict *ret)
{
	timeplan_decide(v->plan, v->plan_count, q->wall_ms, str_of(q->caller.digits),
			str_of(q->callee.digits), ret);
}

enum reason limits_allow(struct inquiry *q, const struct vendor *v,
			 const struct timeplan_verdict *plan)
{
	const struct routing_gateway_row *row = v->row;
	struct quota_limit limit = { row->day_calls, row->day_minutes, row->day_money };
	const struct quota *used = &v->gate->quota;
	const char *full;
	char money[MONEY_TEXT];

	if (plan->is_denied) {
		trail_add(&q->trail, row->name, "skip", "%s: time plan %s",
			  reason_name(REASON_NO_AVAILABLE_ROUTER),
			  plan->plan ? plan->plan : "that allows is not in force");
		return REASON_NO_AVAILABLE_ROUTER;
	}
	full = quota_used_up(used, vendor_day(v, q->wall_ms), &limit);
	if (!full)
		return REASON_NONE;
	trail_add(&q->trail, row->name, "skip",
		  "%s: %s used up: %lld calls, %lld minutes, %s today",
		  reason_name(REASON_ALL_GATEWAY_BUSY), full, (long long)atomic_load(&used->calls),
		  (long long)atomic_load(&used->talk_ms) / 60000,
		  money_text(atomic_load(&used->money), money));
	return REASON_ALL_GATEWAY_BUSY;
}
