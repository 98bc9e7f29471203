#include "ops/replayer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/rank.h"
#include "model/reason.h"
#include "ops/replay_sum.h"
#include "rating/charge.h"
#include "store/cdr_query.h"
#include "store/records.h"

enum { NAMES_MAX = 64, EXAMPLES = 10 };

/* Names, each a loan. */
struct names {
	const char *at[NAMES_MAX];
	int count;
};

static bool has(const struct names *n, const char *name)
{
	for (int i = 0; i < n->count; i++) {
		if (strcmp(n->at[i], name) == 0)
			return true;
	}
	return false;
}

static void add(struct names *n, const char *name)
{
	if (n->count < NAMES_MAX && !has(n, name))
		n->at[n->count++] = name;
}

/* Where a call would go in one of the worlds. */
struct way {
	struct names order; /* of vendors; loans of the world */
	struct {
		bool is_rated;
		struct terms terms;
		const char *currency;
	} cost[NAMES_MAX];
	bool is_refused;
	bool is_fixed; /* the order hangs on what is set alone */
	struct terms price;
	bool is_priced;
	const struct payer *payer;
};

struct run {
	const struct replayer *what;
	struct replay_world *worlds;
	struct hub *hub; /* with nothing in it */
	struct replay_sum *sum;
	int64_t records, routed, same, other, phones, refused, unknown, shared, moved, lost, won;
	int64_t example[EXAMPLES];
	int examples;
};

/* ---- one way ---- */

static void on_choice(void *ctx, const struct choice *c)
{
	struct way *w = ctx;
	int n = w->order.count;

	add(&w->order, c->vendor->row->name);
	if (w->order.count == n)
		return;
	w->cost[n].is_rated = c->cost.is_rated;
	w->cost[n].terms = c->cost.terms;
	w->cost[n].currency = c->vendor->payer ? c->vendor->payer->row->currency : NULL;
}

static const struct source *source_of(const struct world *w, const struct cdr_row *c)
{
	const struct phone *p = c->caller_phone ? world_phone(w, c->caller_phone) : NULL;

	if (c->caller_phone)
		return p ? &p->source : NULL;
	return c->mapping_gateway ? world_source(w, c->mapping_gateway) : NULL;
}

/* False: there is nobody of that name who could have called. */
static bool find_way(const struct run *r, const struct world *w, const struct cdr_row *c,
		     struct way *ret)
{
	struct inquiry q = { .hub = r->hub,
			     .world = w,
			     .source = source_of(w, c),
			     .is_dry = true,
			     .trail = { .is_off = true },
			     .wall_ms = c->start };

	memset(ret, 0, sizeof(*ret));
	if (!q.source)
		return false;
	if (w == r->worlds->draft) {
		q.assume = r->worlds->assume;
		q.assumed = r->worlds->assumed;
	}
	ret->is_refused = number_set(&q.caller_in, str_of(c->caller_in)) < 0 ||
			  number_set(&q.callee_in, str_of(c->callee_in)) < 0 ||
			  number_set(&q.ported, str_of(c->ported)) < 0 ||
			  admit_again(&q) != REASON_NONE;
	ret->is_fixed = rank_is_fixed(&q);
	ret->payer = q.source->payer;
	ret->is_priced = q.price.is_rated;
	ret->price = q.price.terms;
	if (!ret->is_refused)
		choose_each(&q, on_choice, ret);
	inquiry_done(&q);
	return true;
}

/* ---- what the record says ---- */

struct story {
	json_t *steps; /* what the names are loans of */
	struct names tried, skipped;
};

static void read_story(const struct cdr_row *c, struct story *ret)
{
	const json_t *step;
	size_t i;

	*ret = (struct story){ .steps = c->decisions ? json_loads(c->decisions, 0, NULL) : NULL };
	json_array_foreach(ret->steps, i, step)
	{
		const char *name = json_string_value(json_object_get(step, "step"));
		const char *verdict = json_string_value(json_object_get(step, "verdict"));

		if (name && verdict && strcmp(verdict, "sent") == 0)
			add(&ret->tried, name);
		else if (name && verdict && strcmp(verdict, "skip") == 0)
			add(&ret->skipped, name);
	}
}

/* Was it refused before a vendor was looked for? */
static bool was_turned_away(const struct cdr_row *c)
{
	static const char *const by_routes[] = { "NoAvailableRouter", "AllGatewayBusy",
						 "MarginTooLow", "VendorNotRegistered",
						 "AccountBalanceNotEnough" };

	if (c->tries > 0)
		return false;
	for (size_t i = 0; i < sizeof(by_routes) / sizeof(by_routes[0]); i++) {
		if (c->reason && strcmp(c->reason, by_routes[i]) == 0)
			return false;
	}
	return true;
}

/* ---- both beside each other ---- */

/* What was passed over then for a reason of that moment: the configuration alone would have tried it. */
static void find_absent(const struct story *s, const struct way *base, struct names *ret)
{
	*ret = (struct names){ .count = 0 };
	for (int i = 0; i < s->skipped.count; i++) {
		if (!has(&s->tried, s->skipped.at[i]) && has(&base->order, s->skipped.at[i]))
			add(ret, s->skipped.at[i]);
	}
}

/* The vendors of the record are the first ones of the order. */
static bool is_reproduced(const struct story *s, const struct way *base, const struct names *absent)
{
	int n = 0;

	for (int i = 0; i < base->order.count && n < s->tried.count; i++) {
		if (has(absent, base->order.at[i]))
			continue;
		if (strcmp(base->order.at[i], s->tried.at[n++]) != 0)
			return false;
	}
	return n == s->tried.count && (s->tried.count > 0 || base->order.count == absent->count);
}

/* Its place in the order: the first that is not known to be absent or to fail; -1: nobody. */
static int pick(const struct way *w, const struct names *absent, const struct names *failed)
{
	for (int i = 0; i < w->order.count; i++) {
		if (!has(absent, w->order.at[i]) && !has(failed, w->order.at[i]))
			return i;
	}
	return -1;
}

static struct replay_end end_of(const struct way *w, int at, const struct cdr_row *c)
{
	struct replay_end e = { .vendor = at < 0 ? NULL : w->order.at[at] };

	if (at >= 0 && w->cost[at].is_rated) {
		e.currency = w->cost[at].currency;
		e.cost = c->hold_ms > 0 ? charge_total(&w->cost[at].terms, c->hold_ms) : 0;
	}
	return e;
}

static money_t income_of(const struct way *w, const struct cdr_row *c)
{
	return w->is_priced && c->hold_ms > 0 ? charge_total(&w->price, c->hold_ms) : 0;
}

/* What the customer paid stays, but for what the changes make of its price. */
static void compare(struct run *r, const struct cdr_row *c, const struct story *s,
		    const struct way *base, const struct way *draft, const struct names *absent)
{
	struct names failed = { .count = 0 };
	struct replay_call call = { .hold_ms = c->hold_ms,
				    .is_answered = c->answer != FIELD_ABSENT,
				    .currency = base->payer->row->currency };

	for (int i = 0; call.is_answered && i + 1 < s->tried.count; i++)
		add(&failed, s->tried.at[i]);

	int now = pick(base, absent, &failed), then = pick(draft, absent, &failed);

	call.before = end_of(base, now, c);
	call.after = end_of(draft, then, c);
	call.income = now < 0 ? 0 : c->fee + c->tax;
	call.income_after = then < 0 ? 0 : call.income + income_of(draft, c) - income_of(base, c);
	r->lost += now >= 0 && then < 0;
	r->won += now < 0 && then >= 0;
	r->moved += now >= 0 && then >= 0 && strcmp(call.before.vendor, call.after.vendor) != 0;
	replay_sum_add(r->sum, &call);
}

static void judge(struct run *r, const struct cdr_row *c, const struct story *s)
{
	struct way base, draft;
	struct names absent;

	if (!find_way(r, r->worlds->base, c, &base)) {
		r->unknown++;
		return;
	}
	if (!base.is_fixed) {
		r->shared++;
		return;
	}
	r->routed++;
	find_absent(s, &base, &absent);
	if (is_reproduced(s, &base, &absent)) {
		r->same++;
	} else {
		r->other++;
		if (r->examples < EXAMPLES)
			r->example[r->examples++] = c->id;
	}
	if (r->worlds->draft && find_way(r, r->worlds->draft, c, &draft))
		compare(r, c, s, &base, &draft, &absent);
}

static int on_record(void *ctx, const void *row)
{
	struct run *r = ctx;
	const struct cdr_row *c = row;
	struct story s;

	if (r->what->gateway &&
	    !(c->mapping_gateway && strcmp(c->mapping_gateway, r->what->gateway) == 0))
		return 0;
	r->records++;
	if (was_turned_away(c)) {
		r->refused++;
		return 0;
	}
	if (c->callee_phone) {
		r->phones++;
		return 0;
	}
	read_story(c, &s);
	judge(r, c, &s);
	json_decref(s.steps);
	return replay_sum_error(r->sum);
}

/* ---- the answer ---- */

static json_t *examples_json(const struct run *r)
{
	json_t *list = json_array();

	for (int i = 0; i < r->examples; i++)
		(void)json_array_append_new(
			list, json_sprintf("%016llx", (unsigned long long)r->example[i]));
	return list;
}

static json_t *answer(const struct run *r)
{
	json_t *o = json_pack("{s:I s:I s:I s:I s:o s:I s:I s:I s:I}", "records",
			      (json_int_t)r->records, "routed", (json_int_t)r->routed, "reproduced",
			      (json_int_t)r->same, "not_reproduced", (json_int_t)r->other,
			      "examples", examples_json(r), "to_phones", (json_int_t)r->phones,
			      "refused_before", (json_int_t)r->refused, "caller_gone",
			      (json_int_t)r->unknown, "by_turn", (json_int_t)r->shared);

	if (!o || !r->worlds->draft)
		return o;
	(void)json_object_set_new(o, "moved", json_integer(r->moved));
	(void)json_object_set_new(o, "without_route", json_integer(r->lost));
	(void)json_object_set_new(o, "newly_routed", json_integer(r->won));
	replay_sum_put(r->sum, o, r->what->limit);
	return o;
}

static int read_records(struct run *r, struct records *all, const atomic_bool *stop)
{
	struct cdr_filter f = CDR_FILTER_INIT;

	f.from = r->what->from;
	f.to = r->what->to;
	f.account = str_of(r->what->account);
	f.limit = r->what->records;
	f.has_hidden = true;
	f.stop = stop;
	return cdr_query(all->ledger, buf_cstr(&all->dir), &f, on_record, r);
}

static int open_config(struct db **ret, const char *data_dir, const atomic_bool *stop)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;
	int r;

	buf_printf(&path, "%s/switch.db", data_dir);
	if (!buf_cstr(&path))
		return -ENOMEM;
	r = db_open(ret, buf_cstr(&path), DB_READ, 1000);
	if (r == 0)
		db_set_stop(*ret, stop);
	return r == 0 ? db_snapshot(*ret) : r;
}

static int run(struct run *r, struct params *params, const atomic_bool *stop, json_t **ret,
	       struct err *err)
{
	CLEANUP(db_close) struct db *config = NULL;
	CLEANUP(records_close) struct records all = { 0 };
	struct replay_world worlds = { 0 };
	int e = open_config(&config, r->what->data_dir, stop);

	r->worlds = &worlds;
	if (e == 0)
		e = replay_world_open(&worlds, config, params, r->what->from, &r->what->wishes,
				      err);
	else
		params_free(params);
	if (e == 0)
		e = records_open(&all, r->what->data_dir);
	if (e == 0)
		e = read_records(r, &all, stop);
	if (e == 0)
		*ret = answer(r);
	r->worlds = NULL;
	replay_world_done(&worlds);
	return e == 0 && !*ret ? -ENOMEM : e;
}

int replayer_run(struct replayer *what, const atomic_bool *stop, json_t **ret, struct err *err)
{
	struct run r = { .what = what, .hub = calloc(1, sizeof(struct hub)) };
	int e = r.hub ? replay_sum_create(&r.sum) : -ENOMEM;

	if (e == 0)
		e = run(&r, TAKE(what->params), stop, ret, err);
	replay_sum_free(r.sum);
	free(r.hub);
	return e < 0 && !err_is_set(err) ? records_unreadable("the records", e, err) : e;
}
