#include "migrate/shadow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rating/charge.h"
#include "sheet/load.h"

#define SHADOW_WORD(name, word, help) [SHADOW_##name] = word,
const char *const shadow_words[SHADOW_COUNT] = { SHADOW_CAUSES(SHADOW_WORD) };
#undef SHADOW_WORD
#define SHADOW_HELP(name, word, help) [SHADOW_##name] = help,
const char *const shadow_helps[SHADOW_COUNT] = { SHADOW_CAUSES(SHADOW_HELP) };
#undef SHADOW_HELP

enum { EARLIEST = LOAD_PAST_MS }; /* every version of a rate that there was */

struct run {
	struct shadow *s;
	struct stmt *group_of;
	struct err *err;
};

/* ---- our side ---- */

static int find_group(struct run *r, struct str account, struct shadow_group **ret)
{
	struct shadow *s = r->s;

	*ret = NULL;
	stmt_reset(r->group_of);
	stmt_bind_text(r->group_of, 1, account);
	int e = stmt_step(r->group_of);
	for (size_t i = 0; e == 1 && i < s->groups && !*ret; i++) {
		if (str_eq(str_of(s->group[i].name), stmt_text(r->group_of, 0)))
			*ret = &s->group[i];
	}
	return e < 0 ? e : 0;
}

static int find_tariff(struct run *r, struct str account, const struct tariff **ret)
{
	struct shadow_group *g;
	int e = find_group(r, account, &g);

	*ret = NULL;
	if (e == 0 && g && !g->tariff)
		e = load_tariff(&g->tariff, r->s->config, str_of(g->name), &g->rules, EARLIEST,
				r->err);
	if (e == 0 && g)
		*ret = g->tariff;
	return e;
}

/* ---- the cause ---- */

static money_t total(money_t fee, money_t tax)
{
	money_t sum;

	return money_add(fee, tax, &sum) < 0 ? MONEY_MAX : sum;
}

/* Theirs is ours as it looks with so few decimals. */
static bool is_rounded(const struct other_call *c, money_t ours)
{
	money_t quantum = MONEY_ONE, rounded;

	for (int i = 0; i < c->fee_decimals && quantum > 1; i++)
		quantum /= 10;
	return money_round(ours, 1, quantum, &rounded) == 0 && rounded == c->fee;
}

/* Their seconds at our price are their fee: the whole of the difference lies in the seconds. */
static bool are_other_seconds(const struct other_call *c, const struct terms *ours)
{
	struct terms t = *ours;
	struct charge theirs;

	t.first_s = t.step_s = 1;
	t.free_time_s = 0;
	return c->billed_s <= INT64_MAX / 1000 &&
	       charge_compute(&t, c->billed_s * 1000, &theirs) == 0 &&
	       (theirs.fee == c->fee || is_rounded(c, theirs.fee));
}

static enum shadow_cause cause_of(const struct other_call *c, const struct terms *terms,
				  const struct charge *ours)
{
	if (c->fee == ours->fee && c->tax == ours->tax)
		return SHADOW_SAME;
	if (c->package_s > 0)
		return SHADOW_PACKAGE;
	if (c->billed_s != ours->billed_s)
		return are_other_seconds(c, terms) ? SHADOW_INCREMENTS : SHADOW_PRICE;
	if (c->fee == ours->fee)
		return SHADOW_TAX;
	return is_rounded(c, ours->fee) ? SHADOW_ROUNDING : SHADOW_PRICE;
}

static int judge(struct run *r, const struct other_call *c, struct charge *ours,
		 enum shadow_cause *ret)
{
	const struct tariff *t;
	struct terms terms;
	int e = find_tariff(r, c->account, &t);

	*ours = (struct charge){ 0 };
	*ret = SHADOW_ACCOUNT;
	if (e < 0 || !t)
		return e;
	const struct rate *rate = tariff_find(t, c->callee, c->caller, c->start);
	*ret = SHADOW_RATE;
	if (!rate || rate->is_locked)
		return 0;
	tariff_terms(t, rate, &terms);
	e = charge_compute(&terms, c->seconds * 1000, ours);
	*ret = cause_of(c, &terms, ours);
	return e;
}

/* ---- what is told ---- */

static void copy(char *to, size_t size, struct str s)
{
	struct buf b = buf_fixed(to, size - 1);

	buf_put_printable(&b, str_head(s, size / 2));
	to[b.n] = '\0';
}

static int keep(struct shadow *s, const struct other_call *c, const struct charge *ours,
		enum shadow_cause cause)
{
	if (!s->row)
		s->row = calloc(s->limit + 1, sizeof(*s->row));
	if (!s->row)
		return -ENOMEM;
	if (s->rows == s->limit)
		return 0;

	struct shadow_row *x = &s->row[s->rows++];
	*x = (struct shadow_row){ .cause = cause,
				  .start = c->start,
				  .seconds = c->seconds,
				  .their_billed_s = c->billed_s,
				  .billed_s = ours->billed_s,
				  .theirs = total(c->fee, c->tax),
				  .ours = total(ours->fee, ours->tax) };
	copy(x->id, sizeof(x->id), c->id);
	copy(x->account, sizeof(x->account), c->account);
	copy(x->callee, sizeof(x->callee), c->callee);
	return 0;
}

static int on_call(void *ctx, const struct other_call *c)
{
	struct run *r = ctx;
	struct shadow *s = r->s;
	enum shadow_cause cause;
	struct charge ours;

	if (c->seconds == 0 && c->fee == 0)
		return 0; /* was not answered */
	int e = judge(r, c, &ours, &cause);
	if (e < 0)
		return e;
	s->calls[cause]++;
	s->theirs[cause] = total(s->theirs[cause], total(c->fee, c->tax));
	s->ours[cause] = total(s->ours[cause], total(ours.fee, ours.tax));
	return cause == SHADOW_SAME ? 0 : keep(s, c, &ours, cause);
}

int shadow_run(struct shadow *s, struct intake *p, struct err *err)
{
	struct run r = { .s = s, .err = err };
	int e = stmt_prepare(&r.group_of, s->config,
			     "SELECT rate_group FROM account WHERE id = ?1");

	if (e == 0)
		e = intake_each_call(p, on_call, &r, err);
	stmt_free(r.group_of);
	return e;
}

void shadow_done(struct shadow *s)
{
	free(s->row);
	s->row = NULL;
	s->rows = 0;
}
