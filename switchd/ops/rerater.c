#include "ops/rerater.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/rerate.h"
#include "model/json.h"
#include "ops/spool.h"
#include "rating/charge.h"
#include "rating/share.h"
#include "sheet/load.h"
#include "store/cdr_query.h"
#include "store/records.h"

enum { EXAMPLES = 100, TARIFFS_MAX = 64 };

/* An account's rates, read when a record first asks for them. */
struct priced {
	char *account;
	struct tariff *tariff; /* NULL: it has none */
};

struct run {
	const struct rerater *what;
	struct err *err;
	struct records records;
	struct db *config;
	struct rerated rerated;
	struct priced priced[TARIFFS_MAX];
	int count;
	struct rerate_batch batch;
	bool is_told; /* the ledger has answered for the batch */
	int error;    /* ... with this */
	int64_t checked, same, skipped, without_rate, changed, booked;
	money_t before, after, agents_before, agents_after;
	json_t *examples;
};

/* ---- rates ---- */

static int group_of(struct run *r, const char *account, char **ret)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int e = stmt_prepare(&s, r->config, "SELECT rate_group FROM account WHERE id = ?1");

	*ret = NULL;
	if (e < 0)
		return e;
	stmt_bind_text(s, 1, str_of(account));
	e = stmt_step(s);
	if (e == 1 && stmt_text(s, 0).n) {
		*ret = str_dup(stmt_text(s, 0));
		return *ret ? 0 : -ENOMEM;
	}
	return e < 0 ? e : 0;
}

/* With every rate that a call of the time can have been answered under. */
static int make_tariff(struct run *r, const char *group, struct tariff **ret)
{
	ms_t from = r->what->from > LOAD_PAST_MS ? r->what->from : LOAD_PAST_MS;

	for (size_t i = 0; i < r->what->groups; i++) {
		if (strcmp(r->what->group[i].group, group) == 0)
			return load_tariff(ret, r->config, str_of(group), &r->what->group[i].rules,
					   from, r->err);
	}
	return 0;
}

static int rates_of(struct run *r, const char *account, const struct tariff **ret)
{
	CLEANUP(free) char *group = NULL;
	struct priced *p = r->priced;

	for (int i = 0; i < r->count; i++, p++) {
		if (strcmp(p->account, account) == 0) {
			*ret = p->tariff;
			return 0;
		}
	}
	if (r->count == TARIFFS_MAX)
		return err_set(r->err, ERR_CONFLICT, "from", STR(""), "a shorter time",
			       "its calls have had more than %d agents", TARIFFS_MAX - 1);
	int e = group_of(r, account, &group);
	*p = (struct priced){ .account = strdup(account) };
	if (!p->account)
		return -ENOMEM;
	r->count++;
	if (e == 0 && group)
		e = make_tariff(r, group, &p->tariff);
	*ret = p->tariff;
	return e;
}

static struct str charged_number(const struct cdr_row *c)
{
	return str_of(c->rated_number ? c->rated_number : c->callee);
}

/* 1: there is a rate for it; 0: none, or a locked one. */
static int terms_for(struct run *r, const char *account, const struct cdr_row *c,
		     const struct tariff **ret_tariff, const struct rate **ret,
		     struct terms *ret_terms)
{
	const struct tariff *t = NULL;
	int e = rates_of(r, account, &t);

	if (e < 0)
		return e;
	*ret_tariff = t;
	*ret = t ? tariff_find(t, charged_number(c), str_of(c->caller), c->answer) : NULL;
	if (!*ret || (*ret)->is_locked)
		return 0;
	tariff_terms(t, *ret, ret_terms);
	return 1;
}

/* ---- one record ---- */

static int set(char **to, char *text)
{
	if (!text)
		return -ENOMEM;
	free(*to);
	*to = text;
	return 0;
}

static char *prefix_of(const struct cdr_row *c, const struct rate *rate)
{
	return str_dup(str_head(charged_number(c), rate->prefix_len));
}

static int put_charge(struct cdr_row *c, const struct tariff *tariff, const struct rate *rate,
		      const struct terms *t)
{
	const char *origin = tariff_origin(tariff, rate);
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct charge ch;
	int e = charge_compute(t, c->hold_ms, &ch);

	if (e < 0)
		return e;
	terms_put(t, &text);
	e = set(&c->rate_terms, buf_steal(&text));
	if (e == 0)
		e = set(&c->rate_prefix, prefix_of(c, rate));
	free(c->rate_origin);
	c->rate_origin = origin ? strdup(origin) : NULL;
	if (origin && !c->rate_origin)
		return -ENOMEM;
	c->rate_version = rate->version;
	c->billed_s = ch.billed_s;
	c->fee = ch.fee;
	c->tax = ch.tax;
	return e;
}

/* Who stood above the account stays as it was; an agent that has no rate for the number any more keeps the one it had. */
static int rate_agents(struct run *r, const struct cdr_row *c, struct shares *s)
{
	int e = 0;

	for (int i = 0; e >= 0 && i < s->count; i++) {
		struct share *x = &s->of[i];
		const struct tariff *tariff;
		const struct rate *rate;
		struct terms t;

		if (!x->is_rated)
			continue;
		e = terms_for(r, x->agent, c, &tariff, &rate, &t);
		if (e != 1)
			continue;
		x->terms = t;
		x->version = rate->version;
		(void)str_copy(x->prefix, sizeof(x->prefix),
			       str_head(charged_number(c), rate->prefix_len));
	}
	return e < 0 ? e : shares_compute(s, c->fee + c->tax, c->hold_ms);
}

static int put_agents(struct run *r, struct cdr_row *c)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct shares s = { 0 };
	int e = c->agents ? shares_parse(str_of(c->agents), &s) : 0;

	if (e == 0 && s.count > 0)
		e = rate_agents(r, c, &s);
	if (e == 0 && s.count > 0) {
		shares_put(&s, &text);
		e = set(&c->agents, buf_steal(&text));
		c->agent_fee = s.of[0].charge;
		c->agent_income = shares_income(&s);
	}
	shares_done(&s);
	return e;
}

/* The same money for everybody: another version of a rate alone is no reason to book. */
static bool is_same(const struct cdr_row *a, const struct cdr_row *b)
{
	struct shares x = { 0 }, y = { 0 };
	bool is = a->fee == b->fee && a->tax == b->tax && a->billed_s == b->billed_s;

	if (is && a->agents && b->agents && shares_parse(str_of(a->agents), &x) == 0 &&
	    shares_parse(str_of(b->agents), &y) == 0) {
		for (int i = 0; i < x.count && i < y.count; i++)
			is = is && x.of[i].charge == y.of[i].charge &&
			     x.of[i].income == y.of[i].income;
	}
	shares_done(&x);
	shares_done(&y);
	return is;
}

static json_t *money_json(money_t m)
{
	char text[MONEY_TEXT];

	return json_string(money_text(m, text));
}

static int add_example(struct run *r, const struct cdr_row *a, const struct cdr_row *b)
{
	const struct field *f = entities[ENTITY_CDR].field;
	char start[CLOCK_TEXT];

	if (json_array_size(r->examples) >= EXAMPLES)
		return 0;
	return json_array_append_new(
		       r->examples,
		       json_pack("{s:o s:s s:o s:I s:o s:o s:o s:o s:o s:o}", "id",
				 field_to_json(&f[CDR_ID], a), "start", clock_text(a->start, start),
				 "callee", field_to_json(&f[CDR_CALLEE], a), "hold_ms",
				 (json_int_t)a->hold_ms, "before", money_json(a->fee + a->tax),
				 "after", money_json(b->fee + b->tax), "prefix",
				 field_to_json(&f[CDR_RATE_PREFIX], b), "version",
				 field_to_json(&f[CDR_RATE_VERSION], b), "agents_before",
				 money_json(a->agent_income), "agents_after",
				 money_json(b->agent_income))) < 0
		       ? -ENOMEM
		       : 0;
}

/* ---- to the ledger ---- */

static void empty(struct rerate_batch *b)
{
	for (int i = 0; i < b->count; i++) {
		row_free(&entities[ENTITY_CDR], b->item[i].before);
		row_free(&entities[ENTITY_CDR], b->item[i].after);
	}
	b->count = 0;
}

static void on_booked(void *ctx, enum booked what, uint64_t ref, int error,
		      const struct payment_row *payment)
{
	struct run *r = ctx;

	(void)ref;
	(void)payment;
	if (what != BOOKED_RERATE)
		return;
	r->is_told = true;
	r->error = error;
}

/* The batch is the ledger's until it answers, which it does even when it cannot write. */
static int flush(struct run *r)
{
	struct booking *b = r->what->desk;
	struct pollfd p = { .fd = booking_fd(b), .events = POLLIN };

	if (r->batch.count == 0)
		return 0;
	r->is_told = false;
	if (!booking_rerate(b, 1, &r->batch))
		return -EAGAIN;
	booking_flush(b);
	while (!r->is_told) {
		(void)poll(&p, 1, 1000);
		booking_read(b);
	}
	if (r->error == 0)
		r->booked += r->batch.booked;
	empty(&r->batch);
	return r->error;
}

static int put_item(struct run *r, struct cdr_row *before, struct cdr_row *after, int64_t seen)
{
	r->batch.item[r->batch.count++] = (struct rerate_item){ before, after, seen };
	return r->batch.count == RERATE_BATCH ? flush(r) : 0;
}

/* ---- the run ---- */

static int add(money_t *sum, money_t m)
{
	return money_add(*sum, m, sum);
}

static int count_change(struct run *r, const struct cdr_row *a, const struct cdr_row *b)
{
	int e = add(&r->before, a->fee + a->tax);

	if (e == 0)
		e = add(&r->after, b->fee + b->tax);
	if (e == 0)
		e = add(&r->agents_before, a->agent_income);
	if (e == 0)
		e = add(&r->agents_after, b->agent_income);
	r->changed++;
	return e < 0 ? e : add_example(r, a, b);
}

/*
 * Was it charged, by a rate alone? Free numbers, what a crash left without terms, and calls that a package paid for in part stay as
 * they are: what is left in a package now is not what it had then.
 */
static bool is_rated(const struct cdr_row *c)
{
	return c->answer != FIELD_ABSENT && c->sip_code == 200 && c->rate_terms && c->callee &&
	       !c->packages;
}

static int rate_again(struct run *r, struct cdr_row *after)
{
	const struct tariff *tariff;
	const struct rate *rate;
	struct terms t;
	int e = terms_for(r, r->what->account, after, &tariff, &rate, &t);

	if (e != 1)
		return e;
	e = put_charge(after, tariff, rate, &t);
	if (e == 0)
		e = put_agents(r, after);
	return e < 0 ? e : 1;
}

/* Takes both rows. */
static int judge(struct run *r, struct cdr_row *before, struct cdr_row *after, int64_t seen)
{
	int e = rate_again(r, after);
	bool is_new = e == 1 && !is_same(before, after);

	r->without_rate += e == 0;
	r->same += e == 1 && !is_new;
	e = e < 0 ? e : 0;
	if (is_new)
		e = count_change(r, before, after);
	if (is_new && e == 0 && !r->what->is_dry)
		return put_item(r, before, after, seen);
	row_free(&entities[ENTITY_CDR], before);
	row_free(&entities[ENTITY_CDR], after);
	return e;
}

static int on_record(void *ctx, const void *row)
{
	const struct entity *cdr = &entities[ENTITY_CDR];
	struct run *r = ctx;
	int64_t seen = 0;

	r->checked++;
	if (!is_rated(row)) {
		r->skipped++;
		return 0;
	}
	struct cdr_row *before = row_copy(cdr, row);
	int e = before ? rerated_apply(&r->rerated, before, &seen) : -ENOMEM;
	struct cdr_row *after = e == 0 ? row_copy(cdr, before) : NULL;
	if (after)
		return judge(r, before, after, seen);
	row_free(cdr, before);
	return e < 0 ? e : -ENOMEM;
}

static int open_files(struct run *r, const atomic_bool *stop)
{
	int e = records_open(&r->records, r->what->data_dir);

	if (e == 0)
		e = spool_open_config(r->what->data_dir, DB_READ, stop, &r->config, r->err);
	if (e == 0)
		e = rerated_open(&r->rerated, r->records.ledger);
	if (e == 0)
		db_set_stop(r->records.ledger, stop);
	return e;
}

static int read_all(struct run *r, const atomic_bool *stop)
{
	struct cdr_filter f = CDR_FILTER_INIT;
	int e;

	f.from = r->what->from;
	f.to = r->what->to;
	f.account = str_of(r->what->account);
	f.answered = CDR_ANSWERED;
	f.has_hidden = true;
	f.stop = stop;
	e = cdr_query(r->records.ledger, buf_cstr(&r->records.dir), &f, on_record, r);
	return e < 0 ? e : flush(r);
}

static json_t *result(const struct run *r)
{
	money_t more = 0;

	(void)money_sub(r->after, r->before, &more);
	return json_pack("{s:b s:I s:I s:I s:I s:I s:I s:o s:o s:o s:o s:o s:O}", "dry_run",
			 r->what->is_dry, "checked", (json_int_t)r->checked, "unchanged",
			 (json_int_t)r->same, "not_rated", (json_int_t)r->skipped, "without_rate",
			 (json_int_t)r->without_rate, "changed", (json_int_t)r->changed, "booked",
			 (json_int_t)r->booked, "before", money_json(r->before), "after",
			 money_json(r->after), "difference", money_json(more), "agents_before",
			 money_json(r->agents_before), "agents_after", money_json(r->agents_after),
			 "changes", r->examples);
}

static void close_all(struct run *r)
{
	rerated_close(&r->rerated);
	for (int i = 0; i < r->count; i++) {
		tariff_free(r->priced[i].tariff);
		free(r->priced[i].account);
	}
	empty(&r->batch);
	records_close(&r->records);
	db_close(r->config);
	json_decref(r->examples);
}

int rerater_run(const struct rerater *what, const atomic_bool *stop, json_t **ret, struct err *err)
{
	struct run *r = calloc(1, sizeof(*r));
	int e = -ENOMEM;

	if (!r)
		return e;
	*r = (struct run){ .what = what,
			   .err = err,
			   .batch = { .run = clock_wall_ms() },
			   .examples = json_array() };
	if (r->examples)
		e = booking_attach(what->desk, NULL, on_booked, r);
	if (e == 0)
		e = open_files(r, stop);
	if (e == 0)
		e = read_all(r, stop);
	if (e == 0)
		*ret = result(r);
	else if (e != -ECANCELED && !err_is_set(err))
		e = err_set(err, ERR_STORE, "", STR(""), "the same again: what is booked stays",
			    "stopped after %lld records were booked: %s", (long long)r->booked,
			    strerror(-e));
	close_all(r);
	free(r);
	return e == 0 && !*ret ? -ENOMEM : e;
}
