#include <errno.h>
#include <stdlib.h>

#include "ops/clerk.h"
#include "ops/inner.h"
#include "report/reconcile.h"
#include "report/render.h"
#include "store/rows.h"

struct task {
	const char *data_dir;
	struct reconcile_ask ask;
	struct buf file, map, account, format;
	struct zone *zone;
};

static void task_free(void *task)
{
	struct task *t = task;

	buf_done(&t->file);
	buf_done(&t->map);
	buf_done(&t->account);
	buf_done(&t->format);
	zone_free(t->zone);
	free(t);
}

/* Whose list it is says the account: a vendor's is compared with our cost. */
static int read_account(struct ops *o, struct task *t, struct err *err)
{
	struct account_row *a = NULL;
	void *row = NULL;
	int r = rows_get(o->db, &entities[ENTITY_ACCOUNT], buf_str(&t->account), clock_wall_ms(),
			 &row, err);

	if (r < 0)
		return r == -ENOMEM ? r
				    : err_set(err, ERR_NOT_FOUND, "account", buf_str(&t->account),
					      "the id of an account", "there is no such account");
	a = row;
	t->ask.is_vendor = a->kind == ACCOUNT_KIND_CLEARING;
	row_free(&entities[ENTITY_ACCOUNT], row);
	return 0;
}

static int read_zone(const struct request *r, struct task *t, struct err *err)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT;

	if (!arg_text(r, "zone", &name))
		buf_putz(&name, "UTC");
	int e = zone_create(&t->zone, buf_str(&name));
	if (e == 0 || e == -ENOMEM)
		return e;
	return err_set(err, ERR_BAD_VALUE, "zone", buf_str(&name),
		       "UTC, +05:30 or a name such as Europe/Berlin", "there is no such zone");
}

static int read_all(struct ops *o, const struct request *r, struct task *t, struct err *err)
{
	int e = arg_need(r, "file", &t->file, err);

	if (e == 0)
		e = arg_need(r, "account", &t->account, err);
	if (e == 0)
		e = read_account(o, t, err);
	if (e == 0)
		e = read_zone(r, t, err);
	if (e == 0)
		e = arg_time(r, "from", FIELD_ABSENT, &t->ask.from, err);
	if (e == 0)
		e = arg_time(r, "to", FIELD_ABSENT, &t->ask.to, err);
	if (e == 0)
		e = arg_int(r, "tolerance_s", 0, 600, 10, &t->ask.tolerance_s, err);
	if (e == 0)
		e = arg_int(r, "tail", 0, 40, 0, &t->ask.tail, err);
	if (e == 0)
		e = arg_int(r, "limit", 0, 1000000, 1000, &t->ask.limit, err);
	(void)arg_text(r, "map", &t->map);
	if (e == 0 && arg_text(r, "format", &t->format) &&
	    !str_eq(buf_str(&t->format), STR("csv")) && !str_eq(buf_str(&t->format), STR("html")) &&
	    !str_eq(buf_str(&t->format), STR("json")))
		e = err_set(err, ERR_BAD_VALUE, "format", buf_str(&t->format), "csv, html or json",
			    "not a format for this");
	t->ask.file = buf_str(&t->file);
	t->ask.map = buf_str(&t->map);
	t->ask.account = buf_str(&t->account);
	t->ask.zone = t->zone;
	return e;
}

/* As CSV: the differences, one a line. */
static int as_file(const struct task *t, json_t **doc)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	bool is_csv = str_eq(buf_str(&t->format), STR("csv"));
	int r;

	if (!is_csv && !str_eq(buf_str(&t->format), STR("html")))
		return 0;
	if (is_csv)
		r = render_csv(json_array_get(json_object_get(*doc, "sections"), 1), &out);
	else
		r = render_html(*doc, &out);
	json_decref(*doc);
	*doc = r == 0 ? json_of_text(buf_str(&out)) : NULL;
	return *doc ? 0 : -ENOMEM;
}

static int work(void *task, const atomic_bool *stop, json_t **ret, struct err *err)
{
	struct task *t = task;
	json_t *doc = NULL;
	int r = reconcile_run(t->data_dir, &t->ask, stop, &doc, err);

	if (r == 0)
		r = as_file(t, &doc);
	if (r == 0)
		*ret = doc;
	return r;
}

int reconcile_op(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct task *t = calloc(1, sizeof(*t));

	(void)ret;
	if (!t)
		return -ENOMEM;
	t->data_dir = o->c.data_dir;
	int e = read_all(o, r, t, err);
	if (e == 0)
		return clerk_take(o->clerk, r, work, t, task_free);
	task_free(t);
	return e;
}
