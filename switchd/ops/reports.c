#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ops/clerk.h"
#include "ops/inner.h"
#include "report/nightly.h"
#include "report/render.h"
#include "report/report.h"
#include "report/statement.h"
#include "store/rollup.h"

/* ---- what was asked, for a thread that takes it along ---- */

enum { PAGE = 4 << 20 };

enum format { FORMAT_ROWS, FORMAT_JSON, FORMAT_CSV, FORMAT_HTML };

enum { A_ACCOUNT, A_AGENT, A_GATEWAY, A_AREA, ARGS };

struct task {
	const char *data_dir;
	enum report_id id; /* REPORT_COUNT: a statement */
	enum format format;
	struct span span;
	struct buf arg[ARGS];
	struct profit profit;
};

static void task_free(void *task)
{
	struct task *t = task;

	span_done(&t->span);
	for (int i = 0; i < ARGS; i++)
		buf_done(&t->arg[i]);
	free(t);
}

static int read_format(const struct request *r, enum format *ret, struct err *err)
{
	static const char *const names[] = { "", "json", "csv", "html" };
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	(void)arg_text(r, "format", &text);
	for (int i = 0; i < 4; i++) {
		if (str_eq(buf_str(&text), str_of(names[i]))) {
			*ret = (enum format)i;
			return 0;
		}
	}
	return err_set(err, ERR_BAD_VALUE, "format", buf_str(&text), "csv, json or html",
		       "not a format for reports");
}

static int read_span(const struct request *r, struct span *ret, struct err *err)
{
	CLEANUP(buf_done) struct buf from = BUF_INIT, to = BUF_INIT, zone = BUF_INIT, by = BUF_INIT;

	(void)arg_text(r, "from", &from);
	(void)arg_text(r, "to", &to);
	(void)arg_text(r, "zone", &zone);
	(void)arg_text(r, "by", &by);
	const struct span_ask ask = { buf_str(&from), buf_str(&to), buf_str(&zone), buf_str(&by) };
	return span_read(ret, &ask, clock_wall_ms(), err);
}

static int read_profit(struct ops *o, struct profit *ret, struct err *err)
{
	const struct params *p = catalog_world(o->catalog)->params;

	return profit_read(param_str(p, PARAM_SERVER_BILLING_PROFIT_CALCULATE), ret, err);
}

int reports_check(enum param id, struct str text, struct err *err)
{
	struct profit p;

	return id == PARAM_SERVER_BILLING_PROFIT_CALCULATE ? profit_read(text, &p, err) : 0;
}

static int task_read(struct ops *o, const struct request *r, struct task **ret, struct err *err)
{
	static const char *const names[ARGS] = { "account", "agent", "gateway", "area" };
	struct task *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->data_dir = o->c.data_dir;
	t->id = report_of_op(r->op);
	int error = read_span(r, &t->span, err);
	if (error == 0)
		error = read_format(r, &t->format, err);
	if (error == 0)
		error = read_profit(o, &t->profit, err);
	for (int i = 0; i < ARGS; i++)
		(void)arg_text(r, names[i], &t->arg[i]);
	if (error < 0)
		task_free(t);
	else
		*ret = t;
	return error;
}

/* ---- on the clerk's thread ---- */

static int as_file(enum format format, json_t **doc)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	int r = format == FORMAT_CSV ? render_csv(*doc, &out) : render_html(*doc, &out);

	json_decref(*doc);
	*doc = r == 0 ? json_of_text(buf_str(&out)) : NULL;
	return *doc ? 0 : -ENOMEM;
}

static int work(void *task, const atomic_bool *stop, json_t **ret, struct err *err)
{
	struct task *t = task;
	const struct report_filter f = { buf_str(&t->arg[A_ACCOUNT]), buf_str(&t->arg[A_AGENT]),
					 buf_str(&t->arg[A_GATEWAY]), buf_str(&t->arg[A_AREA]),
					 &t->profit };
	json_t *doc = NULL;
	int r;

	if (t->id == REPORT_COUNT)
		r = statement_make(t->data_dir, f.account, &t->span, stop, &doc, err);
	else
		r = report_make(t->data_dir, t->id, &t->span, &f, stop, &doc, err);
	if (r == 0 && t->format >= FORMAT_CSV)
		r = as_file(t->format, &doc);
	if (r == 0)
		*ret = doc;
	return r;
}

int report_run(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct task *t = NULL;
	int error = task_read(o, r, &t, err);

	(void)ret;
	return error < 0 ? error : clerk_take(o->clerk, r, work, t, task_free);
}

int report_statement(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf format = BUF_INIT;

	if (arg_text(r, "format", &format) && str_eq(buf_str(&format), STR("csv")))
		return err_set(err, ERR_BAD_VALUE, "format", STR("csv"),
			       "html or json; `report revenue account=` has its lines as CSV",
			       "a statement is no table");
	return report_run(o, r, ret, err);
}

/* ---- which there are ---- */

static json_t *column_list(const struct report_info *info)
{
	json_t *list = json_array();

	for (int i = 0; list && i < info->columns; i++)
		(void)json_array_append_new(list, json_string(info->column[i].name));
	return list;
}

int report_list(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	const struct params *values = catalog_world(o->catalog)->params;
	json_t *list = json_array();

	(void)r;
	(void)err;
	for (int i = 0; list && i < REPORT_COUNT; i++) {
		const struct report_info *info = &report_infos[i];
		bool has = info->parameter != PARAM_COUNT;

		(void)json_array_append_new(
			list,
			json_pack("{s:s s:s s:b s:s s:o}", "name", info->name, "help", info->help,
				  "nightly", has && param_bool(values, info->parameter),
				  "parameter", has ? param_infos[info->parameter].name : "",
				  "columns", column_list(info)));
	}
	*ret = list;
	return list ? 0 : -ENOMEM;
}

/* ---- nights ---- */

struct night {
	const char *data_dir;
	char day[16];
	bool is_asked; /* by somebody who hears what went wrong */
	struct nightly what;
};

static int work_night(void *night, const atomic_bool *stop, json_t **ret, struct err *err)
{
	const struct night *n = night;
	int r = nightly_make(n->data_dir, str_of(n->day), &n->what, clock_wall_ms(), stop, ret,
			     err);

	if (r < 0 && !n->is_asked)
		log_at(LOG_ERR, NULL, "the reports of the night were not made: %s",
		       err_is_set(err) ? err->message : strerror(-r));
	return r;
}

static int begin_night(struct ops *o, struct request *r, struct str day, struct err *err)
{
	const struct params *values = catalog_world(o->catalog)->params;
	struct night *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	*n = (struct night){ .data_dir = o->c.data_dir, .is_asked = r };
	if (str_copy(n->day, sizeof(n->day), day) < 0) {
		free(n);
		return err_set(err, ERR_BAD_VALUE, "day", day, "a date such as 2026-11-25",
			       "not a day");
	}
	int error = read_profit(o, &n->what.profit, err);
	if (error < 0) {
		free(n);
		return error;
	}
	for (int i = 0; i < REPORT_COUNT; i++) {
		enum param p = report_infos[i].parameter;

		if (p != PARAM_COUNT)
			n->what.is_on[p] = param_bool(values, p);
	}
	return clerk_take(o->clerk, r, work_night, n, free);
}

int report_make_op(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf day = BUF_INIT;

	(void)ret;
	(void)arg_text(r, "day", &day);
	return begin_night(o, r, buf_str(&day), err);
}

void reports_look(struct ops *o)
{
	ms_t now = clock_wall_ms();

	if (now < o->reports_due)
		return;
	o->reports_due = nightly_due(o->c.data_dir, now);
	if (o->reports_due > now)
		return;
	struct err err = ERR_INIT;
	if (begin_night(o, NULL, STR(""), &err) < 0 && err_is_set(&err))
		log_at(LOG_ERR, NULL, "the reports of the night are not made: %s", err.message);
	o->reports_due = now + 3600000;
}

int report_kept(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	int64_t limit;
	int error = arg_int(r, "limit", 1, 100000, 100, &limit, err);

	if (error == 0)
		*ret = nightly_list(o->c.data_dir, (size_t)limit);
	return error < 0 ? error : *ret ? 0 : -ENOMEM;
}

int report_fetch(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf key = BUF_INIT, file = BUF_INIT;
	int64_t after = 0;
	int error = arg_need(r, "key", &key, err);

	if (error == 0)
		error = arg_int(r, "after", 0, INT64_MAX, 0, &after, err);
	if (error < 0)
		return error;
	error = nightly_read(o->c.data_dir, buf_str(&key), &file);
	if (error == -ENOENT)
		return err_set(err, ERR_NOT_FOUND, "key", buf_str(&key),
			       "a key that `report kept` shows", "there is no such report");
	if (error < 0)
		return error;
	struct str rest = str_skip(buf_str(&file), (size_t)after), page = str_head(rest, PAGE);
	return page_of(page, page.n < rest.n ? after + (int64_t)page.n : 0, ret);
}

/* ---- the check ---- */

static int add_difference(void *ctx, const struct rollup_difference *d)
{
	json_t *list = ctx;
	char day[CLOCK_TEXT];

	if (json_array_size(list) >= 1000)
		return 1;
	(void)clock_text(d->day * 86400000, day);
	day[10] = '\0';
	return json_array_append_new(list,
				     json_pack("{s:s s:s s:o s:s s:I s:I}", "table", d->table,
					       "day", day, "account", json_of_text(d->account),
					       "column", d->column, "stored", (json_int_t)d->stored,
					       "computed", (json_int_t)d->computed)) < 0
		       ? -ENOMEM
		       : 0;
}

static int work_check(void *data_dir, const atomic_bool *stop, json_t **ret, struct err *err)
{
	json_t *differences = json_array();
	int64_t records = 0;
	int r = differences ? rollup_check(*(const char **)data_dir, clock_wall_ms(), stop,
					   add_difference, differences, &records)
			    : -ENOMEM;

	(void)err;
	if (r >= 0)
		*ret = json_pack("{s:I s:O}", "records", (json_int_t)records, "differences",
				 differences);
	json_decref(differences);
	return r < 0 ? r : *ret ? 0 : -ENOMEM;
}

int report_verify(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	const char **dir = malloc(sizeof(*dir));

	(void)ret;
	(void)err;
	if (!dir)
		return -ENOMEM;
	*dir = o->c.data_dir;
	return clerk_take(o->clerk, r, work_check, dir, free);
}
