#include "call/world_spend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/world_group.h"

static int compile_areas(struct spend_rule *r)
{
	struct str list = str_of(r->row->areas), item;

	r->area = calloc(str_count(list, ',') + 1, sizeof(*r->area));
	if (!r->area)
		return -ENOMEM;
	while (str_split(&list, ',', &item)) {
		if (!str_is_empty(item))
			r->area[r->areas++] = item;
	}
	return 0;
}

static int compile_limits(struct spend_rule *r, struct err *err)
{
	const struct spend_rule_row *row = r->row;
	bool has_any = false;

	r->limits = (struct spent_limits){
		.most = { [SPENT_MINUTE] = { row->minute_money, row->minute_calls },
			  [SPENT_HOUR] = { row->hour_money, row->hour_calls },
			  [SPENT_DAY] = { row->day_money, row->day_calls } },
		.times = row->hour_times,
		.least = { row->least_money, row->least_calls }
	};
	has_any = row->hour_times != FIELD_ABSENT;
	for (int i = 0; i < SPENT_WINDOWS; i++)
		has_any |= r->limits.most[i].money != FIELD_ABSENT ||
			   r->limits.most[i].calls != FIELD_ABSENT;
	return has_any ? 0
		       : err_set(err, ERR_MISSING_FIELD, "hour_money", STR(""),
				 "at least one of minute_, hour_, day_money and _calls, or "
				 "hour_times",
				 "spend rule %s limits nothing", row->name);
}

/* What can be said of a rule alone. */
static int compile(struct spend_rule *r, struct err *err)
{
	const struct spend_rule_row *row = r->row;
	struct err found = ERR_INIT;
	int e = ranges_create(&r->ranges, str_of(row->callee), str_of(row->callee_not), &found);

	if (e < 0)
		return err_is_set(&found)
			       ? err_set(err, found.code, "callee_not", str_of(found.given),
					 found.accepted, "%s", found.message)
			       : e;
	if (row->counts == SPEND_RULE_COUNTS_TOGETHER && row->account)
		return err_set(err, ERR_CONFLICT, "counts", STR("together"),
			       "counts=each, or no account", "it is about one account");
	e = compile_limits(r, err);
	return e < 0 ? e : compile_areas(r);
}

static void rule_done(struct spend_rule *r)
{
	ranges_free(r->ranges);
	free(r->area);
	row_free(&entities[ENTITY_SPEND_RULE], r->row);
}

/* Vendors are paid and pay for no calls; an agent stands for all below it. */
static bool holds_for(const struct spend_rule *r, const struct payer *p)
{
	const char *account = r->row->account;

	if (!account)
		return p->row->kind != ACCOUNT_KIND_CLEARING;
	for (; p; p = p->agent) {
		if (strcmp(account, p->row->id) == 0)
			return true;
	}
	return false;
}

static int watch(const struct spend_rule *r, struct payer *p, const struct world_input *in,
		 struct err *err)
{
	bool is_each = r->row->counts == SPEND_RULE_COUNTS_EACH;
	const char *one = r->row->account ? r->row->account : p->row->id;
	struct spend_watch *list;
	struct spent *s;

	if (p->watches == SPEND_RULES_MAX)
		return err_set(err, ERR_CONFLICT, "account", str_of(p->row->id),
			       "at most 16 spend rules for an account",
			       "spend rule %s is one too many for account %s", r->row->name,
			       p->row->id);
	list = realloc(p->watch, (size_t)(p->watches + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	p->watch = list;
	s = in->find_spent(in->ctx, r->row->name, is_each ? one : SPEND_TOGETHER);
	if (!s)
		return -ENOMEM;
	list[p->watches++] = (struct spend_watch){ r, s };
	return 0;
}

int take_spend_rules(struct world *w, struct world_input *in, struct err *err)
{
	w->spend_rule = calloc(in->spend_rules ? in->spend_rules : 1, sizeof(*w->spend_rule));
	if (!w->spend_rule)
		return -ENOMEM;
	for (size_t i = 0; i < in->spend_rules; i++) {
		struct spend_rule *r = &w->spend_rule[w->spend_rules++];

		r->row = TAKE(in->spend_rule[i]);
		int e = compile(r, err);
		if (e < 0)
			return e;
		r->plan = r->row->plan ? world_plan(w, str_of(r->row->plan)) : NULL;
		for (size_t n = 0; e == 0 && n < w->payers; n++) {
			if (holds_for(r, &w->payer[n]))
				e = watch(r, &w->payer[n], in, err);
		}
		if (e < 0)
			return e;
	}
	return 0;
}

void spend_rules_done(struct world *w)
{
	for (size_t i = 0; i < w->payers; i++)
		free(w->payer[i].watch);
	for (size_t i = 0; i < w->spend_rules; i++)
		rule_done(&w->spend_rule[i]);
	free(w->spend_rule);
}

bool spend_rule_is_about(const struct spend_rule *r, struct str callee, const char *area)
{
	size_t prefix;
	bool is_in = ranges_allows(r->ranges, callee, &prefix);

	if (r->areas == 0 || (is_in && !str_is_empty(str_of(r->row->callee))))
		return is_in;
	if (!is_in && prefix > 0) /* callee_not */
		return false;
	for (int i = 0; i < r->areas; i++) {
		if (area && str_eq(r->area[i], str_of(area)))
			return true;
	}
	return false;
}

int world_check_spend_rule(const struct spend_rule_row *row, struct err *err)
{
	struct spend_rule r = { .row = row_copy(&entities[ENTITY_SPEND_RULE], row) };
	int e = r.row ? compile(&r, err) : -ENOMEM;

	rule_done(&r);
	return e;
}
