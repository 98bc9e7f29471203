#include "rating/gift.h"

#include <errno.h>

enum { STEP_MAX_S = 86400 };

void gift_sum(const struct gift *g, struct given *ret)
{
	*ret = (struct given){ 0 };
	for (int i = 0; i < g->count; i++) {
		ret->seconds += g->part[i].seconds;
		ret->money += g->part[i].money;
	}
}

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void settle_seconds(struct gift *g, int64_t left_s)
{
	for (int i = 0; i < g->count; i++) {
		struct gift_part *p = &g->part[i];
		int64_t steps;

		p->seconds = min64(left_s, p->used_s);
		left_s -= p->seconds;
		steps = (p->seconds + p->step_s - 1) / p->step_s;
		p->used_s = min64(steps * p->step_s, p->used_s);
	}
}

int gift_settle(struct gift *g, const struct terms *t, int64_t hold_ms, struct charge *ret)
{
	struct given given = { 0 };
	struct charge c;
	int r;

	settle_seconds(g, charge_billable_s(t, hold_ms));
	for (int i = 0; i < g->count; i++)
		given.seconds += g->part[i].seconds;
	r = charge_compute_given(t, &given, hold_ms, &c);
	for (int i = 0; r == 0 && i < g->count; i++) {
		g->part[i].money = min64(c.fee - given.money, g->part[i].money);
		given.money += g->part[i].money;
	}
	return r < 0 ? r : charge_compute_given(t, &given, hold_ms, ret);
}

void gift_put(const struct gift *g, struct buf *out)
{
	bool is_first = true;

	for (int i = 0; i < g->count; i++) {
		const struct gift_part *p = &g->part[i];

		if (p->used_s == 0 && p->money == 0)
			continue;
		if (!is_first)
			buf_putc(out, ' ');
		is_first = false;
		buf_printf(out, "%lld=%lld/%lld/%lld/", (long long)p->allowance,
			   (long long)p->seconds, (long long)p->used_s, (long long)p->step_s);
		buf_put_money(out, p->money);
	}
}

static int parse_part(struct str text, struct gift_part *p)
{
	struct str id, seconds, used, step;

	if (!str_split(&text, '=', &id) || !str_split(&text, '/', &seconds) ||
	    !str_split(&text, '/', &used) || !str_split(&text, '/', &step) ||
	    str_to_i64(id, 1, INT64_MAX, &p->allowance) < 0 ||
	    str_to_i64(used, 0, INT32_MAX, &p->used_s) < 0 ||
	    str_to_i64(seconds, 0, p->used_s, &p->seconds) < 0 ||
	    str_to_i64(step, 1, STEP_MAX_S, &p->step_s) < 0 || money_parse(text, &p->money) < 0 ||
	    p->money < 0 || p->money > MONEY_MAX / GIFT_PARTS)
		return -EINVAL;
	return 0;
}

int gift_parse(struct str text, struct gift *ret)
{
	struct gift g = { 0 };
	struct str word;

	while (str_split(&text, ' ', &word))
		if (g.count == GIFT_PARTS || parse_part(word, &g.part[g.count++]) < 0)
			return -EINVAL;
	*ret = g;
	return 0;
}
