#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ops/cdr_detail.h"
#include "ops/clerk.h"
#include "ops/inner.h"
#include "ops/loaded.h"
#include "ops/rerater.h"

/* ---- cdr rerate ---- */

struct task {
	struct ops *ops;
	struct rerater what;
};

static void task_free(void *task)
{
	struct task *t = task;

	for (size_t i = 0; t->what.group && i < t->what.groups; i++)
		free(t->what.group[i].group);
	free(t->what.group);
	free(t->what.account);
	atomic_store(&t->ops->rerate_runs, false);
	free(t);
}

static int work(void *task, const atomic_bool *stop, json_t **ret, struct err *err)
{
	const struct task *t = task;

	return rerater_run(&t->what, stop, ret, err);
}

/* Parameters are the main thread's: how groups round is read here. */
static int read_groups(struct ops *o, struct rerater *w)
{
	CLEANUP(loaded_done) struct loaded groups = { .entity = &entities[ENTITY_RATE_GROUP] };
	int r = loaded_read(&groups, o->db);

	w->group = r == 0 ? calloc(groups.count ? groups.count : 1, sizeof(*w->group)) : NULL;
	if (r == 0 && !w->group)
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < groups.count; i++) {
		const struct rate_group_row *g = groups.row[i];

		world_rules(catalog_world(o->catalog)->params, g, &w->group[i].rules);
		w->group[i].group = strdup(g->name);
		r = w->group[i].group ? 0 : -ENOMEM;
		w->groups += r == 0;
	}
	return r;
}

static int read_account(struct ops *o, const struct request *r, struct rerater *w, struct err *err)
{
	CLEANUP(buf_done) struct buf account = BUF_INIT;
	int e = arg_need(r, "account", &account, err);
	const char *id = e == 0 ? buf_cstr(&account) : NULL;

	if (e < 0 || !id)
		return e < 0 ? e : -ENOMEM;
	const struct payer *p = world_payer(catalog_world(o->catalog), id);
	if (!p)
		return err_set(err, ERR_NOT_FOUND, "account", str_of(id), "the id of an account",
			       "there is no such account");
	if (p->row->kind == ACCOUNT_KIND_CLEARING)
		return err_set(
			err, ERR_BAD_VALUE, "account", str_of(id), "a customer or an agent",
			"what a vendor charges is not rated again: `reconcile run` compares it");
	if (!p->row->rate_group)
		return err_set(err, ERR_CONFLICT, "account", str_of(id),
			       "an account with a rate_group", "there is nothing to rate by");
	/* By the hour they would have been rated at then, which no rate group alone can say. */
	for (const struct payer *x = p; x; x = x->agent) {
		if (x->bands)
			return err_set(
				err, ERR_CONFLICT, "account", str_of(id),
				"an account without off-peak hours",
				"rate group %s has off-peak hours: calls by it are not rated "
				"again",
				x->row->rate_group);
	}
	w->account = strdup(id);
	return w->account ? 0 : -ENOMEM;
}

static int read_ask(struct ops *o, const struct request *r, struct rerater *w, struct err *err)
{
	int e = arg_time(r, "from", FIELD_ABSENT, &w->from, err);

	if (e == 0)
		e = arg_time(r, "to", FIELD_ABSENT, &w->to, err);
	if (e == 0)
		e = arg_bool(r, "dry_run", false, &w->is_dry, err);
	if (e == 0)
		e = read_account(o, r, w, err);
	return e < 0 ? e : read_groups(o, w);
}

/* Who did it stands in the log, as with every change. */
static int log_run(struct ops *o, struct request *r, const struct rerater *w, struct err *err)
{
	struct change c = { .key = w->account };
	int e = change_begin(o, err);

	if (e < 0)
		return e;
	c.after = json_deep_copy(r->params);
	e = change_end(o, r, &c, c.after ? 0 : -ENOMEM, err);
	json_decref(c.after);
	return e;
}

int cdr_rerate(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct task *t;

	(void)ret;
	if (atomic_exchange(&o->rerate_runs, true))
		return err_set(err, ERR_CONFLICT, "", STR(""), "try again when it is done",
			       "records are being rated again");
	t = calloc(1, sizeof(*t));
	if (!t) {
		atomic_store(&o->rerate_runs, false);
		return -ENOMEM;
	}
	t->ops = o;
	t->what.data_dir = o->c.data_dir;
	t->what.desk = ledger_desk(o->hub->ledger, o->hub->workers + 1);
	int e = read_ask(o, r, &t->what, err);
	if (e == 0 && !t->what.is_dry)
		e = log_run(o, r, &t->what, err);
	if (e < 0) {
		task_free(t);
		return e;
	}
	return clerk_take(o->clerk, r, work, t, task_free);
}

/* ---- cdr show ---- */

static json_t *money_json(money_t m)
{
	char text[MONEY_TEXT];

	return json_string(money_text(m, text));
}

static json_t *text_json(struct stmt *s, int column)
{
	return stmt_is_null(s, column) ? json_null() : json_of_text(stmt_text(s, column));
}

static json_t *time_json(ms_t at)
{
	char text[CLOCK_TEXT];

	return json_string(clock_text(at, text));
}

int cdr_rerated_add(struct db *ledger, const struct cdr_row *row, json_t *object)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	json_t *list = json_array();
	int r = stmt_prepare(&s, ledger,
			     "SELECT at, prefix, version, terms, billed_s, fee, tax, agent_income "
			     "FROM rerating WHERE cdr = ?1 AND sign = 1 ORDER BY id");

	if (r == 0)
		stmt_bind_int(s, 1, row->id);
	while (r == 0 && (r = stmt_step(s)) == 1) {
		r = json_array_append_new(
			list,
			json_pack("{s:o s:o s:I s:o s:I s:o s:o s:o}", "at",
				  time_json(stmt_int(s, 0)), "prefix", text_json(s, 1), "version",
				  (json_int_t)stmt_int(s, 2), "terms", text_json(s, 3), "billed_s",
				  (json_int_t)stmt_int(s, 4), "fee", money_json(stmt_int(s, 5)),
				  "tax", money_json(stmt_int(s, 6)), "agent_income",
				  money_json(stmt_int(s, 7))));
		r = r < 0 ? -ENOMEM : 0;
	}
	if (r < 0) {
		json_decref(list);
		return r;
	}
	return json_object_set_new(object, "rerated", list) < 0 ? -ENOMEM : 0;
}
