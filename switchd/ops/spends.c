#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "call/world_spend.h"
#include "ops/inner.h"
#include "ops/spend_book.h"
#include "ops/spend_file.h"

/*
 * The spend-velocity breaker: once a second every count is looked at. A rule that is beyond a limit stops the account (is_stopped,
 * which admission reads), raises its alarm, and lets go when its time is over.
 */

enum { ALARMS_MAX = 200, INFO = 320, LIST_MAX = 1000000 };

static const char *const windows[SPENT_WINDOWS] = { "a minute", "an hour", "a day" };

static const struct entity *const entity = &entities[ENTITY_SPEND];

static struct spend_count *count_of(const struct spend_watch *w)
{
	return CONTAINER(w->spent, struct spend_count, spent);
}

/* ---- what is beyond a limit ---- */

static int64_t state_of(const struct spend_rule *r)
{
	static const int64_t states[] = { [SPEND_RULE_ACTION_ALARM] = SPEND_STATE_ALARM,
					  [SPEND_RULE_ACTION_BLOCK] = SPEND_STATE_BLOCKED,
					  [SPEND_RULE_ACTION_CUT] = SPEND_STATE_CUT };

	return states[r->row->action];
}

static void say_why(struct spend_count *n, const struct spend_rule *r, const struct payer *p,
		    const struct spent_excess *x)
{
	char times[48] = "limit ";
	bool is_one = strcmp(n->account, SPEND_TOGETHER) != 0;
	char text[MONEY_TEXT], limit[MONEY_TEXT];
	struct spent_sum sum;

	spent_sum(&n->spent, x->window, &sum);
	if (x->is_average)
		(void)snprintf(times, sizeof(times), "at least %lld times the average of ",
			       (long long)r->row->hour_times);
	n->value = x->is_calls ? sum.calls : sum.money / MONEY_ONE;
	if (x->is_calls)
		(void)snprintf(n->why, sizeof(n->why), "%lld calls within %s, %s%lld",
			       (long long)sum.calls, windows[x->window], times,
			       (long long)x->limit);
	else
		(void)snprintf(n->why, sizeof(n->why), "%s%s%s within %s, %s%s",
			       money_text(sum.money, text), is_one ? " " : "",
			       is_one ? p->row->currency : "", windows[x->window], times,
			       money_text(x->limit, limit));
}

static void stop(struct spend_count *n, const struct spend_rule *r)
{
	int64_t lasts_ms = r->row->lasts * 1000;

	n->since = clock_wall_ms();
	n->until = lasts_ms > 0 ? n->since + lasts_ms : FIELD_ABSENT;
	n->until_mono = lasts_ms > 0 ? clock_mono_ms() + lasts_ms : INT64_MAX;
	n->is_dirty = n->is_urgent = true;
}

static void let_go(struct spend_count *n)
{
	if (n->state != SPEND_STATE_NORMAL)
		log_at(LOG_NOTICE, FIELDS(.account = n->account),
		       "spend rule %s: account %s may call again", n->rule, n->account);
	n->state = SPEND_STATE_NORMAL;
	n->since = n->until = FIELD_ABSENT;
	n->why[0] = '\0';
	n->is_dirty = n->is_urgent = true;
}

static void look_at(struct spend_count *n, const struct spend_rule *r, const struct payer *p,
		    bool acts)
{
	struct spent_excess x;
	bool stops, exceeds;

	n->is_dirty |= spent_look(&n->spent, spend_clock_s());
	exceeds = acts && spent_exceeds(&n->spent, &r->limits, &x);
	if (exceeds)
		say_why(n, r, p, &x);
	if (exceeds && n->state == SPEND_STATE_NORMAL)
		stop(n, r);
	else if (!exceeds && n->state != SPEND_STATE_NORMAL &&
		 (r->row->status == SPEND_RULE_STATUS_LOCKED || clock_mono_ms() >= n->until_mono))
		let_go(n);
	if (exceeds || n->state != SPEND_STATE_NORMAL)
		n->state = state_of(r);
	stops = r->row->action != SPEND_RULE_ACTION_ALARM;
	atomic_store(&n->spent.is_stopped, stops && n->state != SPEND_STATE_NORMAL);
	atomic_store(&n->spent.cuts, r->row->action == SPEND_RULE_ACTION_CUT);
	spent_mark(&n->spent, stops && acts ? &r->limits : NULL);
}

/* Its rule or account is gone: so is what was counted. */
static void drop(struct spend_count *n)
{
	if (n->state == SPEND_STATE_NORMAL && spent_is_empty(&n->spent) && !n->is_stored)
		return;
	let_go(n);
	spent_forget(&n->spent);
	atomic_store(&n->spent.is_stopped, false);
	spent_mark(&n->spent, NULL);
}

static bool acts_now(const struct spend_rule *r, ms_t wall)
{
	return r->row->status == SPEND_RULE_STATUS_NORMAL &&
	       (!r->plan || timeplan_is_in_force(r->plan, wall));
}

static void look_at_all(struct ops *o, const bool *acts)
{
	const struct world *w = catalog_world(o->catalog);
	struct spend_book *b = catalog_spends(o->catalog);
	struct spend_count *n;
	struct hnode *it;

	b->pass++;
	for (size_t i = 0; i < w->payers; i++) {
		for (int k = 0; k < w->payer[i].watches; k++) {
			const struct spend_watch *watch = &w->payer[i].watch[k];

			n = count_of(watch);
			if (n->pass == b->pass)
				continue;
			n->pass = b->pass;
			look_at(n, watch->rule, &w->payer[i], acts[watch->rule - w->spend_rule]);
		}
	}
	SPEND_COUNT_EACH(it, b, n)
	{
		if (n->pass != b->pass)
			drop(n);
	}
}

int spends_open(struct ops *o)
{
	int r = spend_file_read(o->db, catalog_spends(o->catalog));

	if (r == 0)
		spends_look(o);
	return r;
}

void spends_close(struct ops *o)
{
	spends_look(o);
	spend_file_write(o->db, catalog_spends(o->catalog), true);
}

void spends_look(struct ops *o)
{
	const struct world *w = catalog_world(o->catalog);
	CLEANUP(free) bool *acts = calloc(w->spend_rules + 1, sizeof(*acts));
	ms_t wall = clock_wall_ms();

	for (size_t i = 0; acts && i < w->spend_rules; i++)
		acts[i] = acts_now(&w->spend_rule[i], wall);
	if (acts)
		look_at_all(o, acts);
	if (!o->is_locked) /* else in a second again */
		spend_file_write(o->db, catalog_spends(o->catalog), false);
}

/* ---- alarms ---- */

static void raise_one(struct ops *o, const struct spend_count *n)
{
	static const char *const what[] = { [SPEND_STATE_ALARM] = "nothing is stopped",
					    [SPEND_STATE_BLOCKED] = "new calls are refused",
					    [SPEND_STATE_CUT] =
						    "calls are ended, new ones refused" };
	char object[INFO], info[INFO], until[CLOCK_TEXT];

	(void)snprintf(object, sizeof(object), "%s/%s", n->rule, n->account);
	(void)snprintf(info, sizeof(info), "%s; %s until %s", n->why, what[n->state],
		       n->until == FIELD_ABSENT ? "spend reset" : clock_text(n->until, until));
	alarm_raise(o->alarms, "spend_limit", n->state == SPEND_STATE_ALARM ? 1 : 2, object,
		    n->value, info);
}

void look_at_spends(struct ops *o)
{
	struct spend_count *n;
	struct hnode *it;
	int raised = 0;

	SPEND_COUNT_EACH(it, catalog_spends(o->catalog), n)
	{
		if (n->state != SPEND_STATE_NORMAL && raised++ < ALARMS_MAX)
			raise_one(o, n);
	}
	if (raised > ALARMS_MAX)
		alarm_raise(o->alarms, "spend_limits", 2, "accounts", raised - ALARMS_MAX,
			    "further accounts are beyond a spend rule: spend list");
}

void spends_fill(struct ops *o, struct spend_rule_row *row)
{
	struct spend_count *n;
	struct hnode *it;

	row->over = 0;
	SPEND_COUNT_EACH(it, catalog_spends(o->catalog), n)
	row->over += n->state != SPEND_STATE_NORMAL && row->name && strcmp(n->rule, row->name) == 0;
}

/* ---- operations ---- */

struct asked {
	struct ops *ops;
	struct buf rule, account;
	bool has_rule, has_account;
};

static json_t *shown(const struct spend_count *n)
{
	struct spent_sum sum[SPENT_WINDOWS];

	for (int i = 0; i < SPENT_WINDOWS; i++)
		spent_sum(&n->spent, (enum spent_window)i, &sum[i]);

	struct spend_row row = { .rule = n->rule,
				 .account = n->account,
				 .state = n->state,
				 .since = n->since,
				 .until = n->until,
				 .why = n->why[0] ? (char *)(uintptr_t)n->why : NULL,
				 .minute_money = sum[SPENT_MINUTE].money,
				 .hour_money = sum[SPENT_HOUR].money,
				 .day_money = sum[SPENT_DAY].money,
				 .minute_calls = sum[SPENT_MINUTE].calls,
				 .hour_calls = sum[SPENT_HOUR].calls,
				 .day_calls = sum[SPENT_DAY].calls };

	return row_to_json(entity, &row);
}

static bool is_asked(const struct asked *a, const struct spend_count *n)
{
	return (!a->has_rule || str_eq(buf_str(&a->rule), str_of(n->rule))) &&
	       (!a->has_account || str_eq(buf_str(&a->account), str_of(n->account)));
}

typedef void count_fn(struct spend_count *n);

/* Those that are asked for, each once, in the order of their accounts; after act, if there is one. */
static json_t *gather(const struct asked *a, count_fn *act, bool idle_too, int64_t limit)
{
	const struct world *w = catalog_world(a->ops->catalog);
	struct spend_book *b = catalog_spends(a->ops->catalog);
	json_t *list = json_array();

	b->pass++;
	for (size_t i = 0; list && i < w->payers; i++) {
		for (int k = 0; k < w->payer[i].watches; k++) {
			struct spend_count *n = count_of(&w->payer[i].watch[k]);

			if (n->pass == b->pass || !is_asked(a, n) ||
			    (int64_t)json_array_size(list) >= limit)
				continue;
			n->pass = b->pass;
			if (!idle_too && spent_is_empty(&n->spent) &&
			    n->state == SPEND_STATE_NORMAL)
				continue;
			if (act)
				act(n);
			(void)json_array_append_new(list, shown(n));
		}
	}
	return list;
}

static void asked_done(struct asked *a)
{
	buf_done(&a->rule);
	buf_done(&a->account);
}

int spend_list(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct asked a = { .ops = o };
	int64_t limit;
	int error = arg_int(r, "limit", 1, LIST_MAX, LIST_MAX, &limit, err);

	a.has_rule = arg_text(r, "rule", &a.rule);
	a.has_account = arg_text(r, "account", &a.account);
	if (error == 0) {
		spends_look(o);
		*ret = gather(&a, NULL, false, limit);
		error = *ret ? 0 : -ENOMEM;
	}
	asked_done(&a);
	return error;
}

static void begin_anew(struct spend_count *n)
{
	spent_forget(&n->spent);
	let_go(n);
}

static int reset(struct ops *o, struct request *r, const struct asked *a, json_t **ret,
		 struct err *err)
{
	struct change c = { .key = a->rule.p };
	int error;

	spends_look(o);
	c.before = gather(a, NULL, true, LIST_MAX);
	if (c.before && json_array_size(c.before) == 0)
		error = err_set(err, ERR_NOT_FOUND, a->has_account ? "account" : "rule",
				buf_str(a->has_account ? &a->account : &a->rule),
				"a rule and an account as `spend list` shows them",
				"no spend rule counts that");
	else
		error = c.before ? change_begin(o, err) : -ENOMEM;
	if (error == 0)
		error = change_end(o, r, &c, 0, err);
	if (error == 0) {
		*ret = gather(a, begin_anew, true, LIST_MAX);
		spends_look(o);
		error = *ret ? 0 : -ENOMEM;
	}
	json_decref(c.before);
	return error;
}

int spend_reset(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct asked a = { .ops = o, .has_rule = true };
	int error = arg_need(r, "rule", &a.rule, err);

	a.has_account = arg_text(r, "account", &a.account);
	if (error == 0)
		error = buf_cstr(&a.rule) ? reset(o, r, &a, ret, err) : -ENOMEM;
	asked_done(&a);
	return error;
}
