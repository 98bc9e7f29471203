#include "call/inner.h"
#include "call/rank.h"

/* What a try says about the quality of its vendor; outcome.c is about whether it works at all. */

static struct score *score_of(const struct leg *l, struct score_window *w)
{
	if (l->is_phone || !l->gate || !rank_window(l->call->worker->world->params, w))
		return NULL;
	return scores_get(&l->gate->scores, l->prefix);
}

/* Its day's limits count it, whether or not quality is measured. */
static void count_day(const struct leg *l, int64_t calls, ms_t talk_ms, money_t cost)
{
	const struct vendor *v = l->is_phone ? NULL : leg_vendor(l);

	if (v)
		quota_add(&l->gate->quota, vendor_day(v, clock_wall_ms()), calls, talk_ms, cost);
}

void scored_sent(struct leg *l)
{
	l->sent_mono = l->call->worker->loop.now_ms;
	count_day(l, 1, 0, 0);
}

void scored_rang(struct leg *l)
{
	struct score_window w = { 0 };
	ms_t now = l->call->worker->loop.now_ms;

	if (l->has_rung)
		return;
	l->has_rung = true;
	score_rang(score_of(l, &w), w, now - l->sent_mono, now);
}

void scored_over(struct leg *l, bool is_answered)
{
	struct score_window w = { 0 };

	if (l->is_scored || l->sent_mono == 0)
		return;
	l->is_scored = true;
	score_tried(score_of(l, &w), w, is_answered, l->call->worker->loop.now_ms);
}

void scored_talked(struct leg *l, ms_t talk_ms, money_t cost)
{
	struct score_window w = { 0 };

	count_day(l, 0, talk_ms, cost);
	score_talked(score_of(l, &w), w, talk_ms, l->call->worker->loop.now_ms);
}
