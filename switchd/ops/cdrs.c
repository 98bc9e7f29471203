#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "ledger/verify.h"
#include "model/reason.h"
#include "ops/inner.h"
#include "store/cdr_query.h"

static const struct entity *const cdr_entity = &entities[ENTITY_CDR];

/* ---- where the records are ---- */

struct shelf {
	struct db *ledger;
	struct buf dir;
};

static int shelf_open(struct shelf *s, struct ops *o, struct err *err)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	*s = (struct shelf){ 0 };
	buf_printf(&path, "%s/ledger.db", o->c.data_dir);
	buf_printf(&s->dir, "%s/cdr", o->c.data_dir);
	const char *text = buf_cstr(&path);
	int r = text && buf_cstr(&s->dir) ? db_open(&s->ledger, text, DB_READ, 1000) : -ENOMEM;
	if (r < 0)
		return err_set(err, ERR_STORE, "", STR(""), "try again",
			       "the records cannot be read: %s", strerror(-r));
	return 0;
}

static void shelf_close(struct shelf *s)
{
	db_close(s->ledger);
	buf_done(&s->dir);
}

static int read_id(struct str text, int64_t *ret)
{
	char digits[17], *end;

	if (text.n != 16 || str_copy(digits, sizeof(digits), text) < 0)
		return -EINVAL;
	*ret = (int64_t)strtoull(digits, &end, 16);
	return *end ? -EINVAL : 0;
}

static int bad_id(const char *name, struct str given, struct err *err)
{
	return err_set(err, ERR_BAD_VALUE, name, given, "16 hex digits, as `cdr list` shows them",
		       "not the id of a record");
}

/* ---- list and export ---- */

struct filter {
	struct cdr_filter f;
	struct buf account, callee, reason, call_id, after;
};

static void filter_done(struct filter *q)
{
	buf_done(&q->account);
	buf_done(&q->callee);
	buf_done(&q->reason);
	buf_done(&q->call_id);
	buf_done(&q->after);
}

static int filter_read(struct filter *q, const struct request *r, int64_t default_limit,
		       struct err *err)
{
	int error;

	*q = (struct filter){ .f = CDR_FILTER_INIT };
	error = arg_time(r, "from", FIELD_ABSENT, &q->f.from, err);
	if (error == 0)
		error = arg_time(r, "to", FIELD_ABSENT, &q->f.to, err);
	if (error == 0)
		error = arg_int(r, "limit", 1, 30000000, default_limit, &q->f.limit, err);
	(void)arg_text(r, "account", &q->account);
	(void)arg_text(r, "callee", &q->callee);
	if (error == 0 && arg_text(r, "reason", &q->reason) &&
	    reason_find(buf_str(&q->reason)) == REASON_NONE)
		error = err_set(err, ERR_BAD_VALUE, "reason", buf_str(&q->reason),
				"an end reason as records have it, such as NoRate",
				"there is no such end reason");
	(void)arg_text(r, "call_id", &q->call_id);
	if (error == 0 && arg_text(r, "after", &q->after) &&
	    read_id(buf_str(&q->after), &q->f.after) < 0)
		error = bad_id("after", buf_str(&q->after), err);
	q->f.account = buf_str(&q->account);
	q->f.callee = buf_str(&q->callee);
	q->f.reason = buf_str(&q->reason);
	q->f.call_id = buf_str(&q->call_id);
	return error;
}

static int run(struct ops *o, const struct filter *q, rows_fn *on_row, void *ctx, struct err *err)
{
	struct shelf s;
	int r = shelf_open(&s, o, err);

	if (r == 0)
		r = cdr_query(s.ledger, buf_cstr(&s.dir), &q->f, on_row, ctx);
	shelf_close(&s);
	return r;
}

static int to_array(void *ctx, const void *row)
{
	return json_array_append_new(ctx, row_to_json(cdr_entity, row)) < 0 ? -ENOMEM : 0;
}

int cdr_list(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct filter q;
	json_t *list = json_array();
	int error = filter_read(&q, r, 100, err);

	if (error == 0)
		error = list ? run(o, &q, to_array, list, err) : -ENOMEM;
	filter_done(&q);
	if (error < 0)
		json_decref(list);
	else
		*ret = list;
	return error;
}

static void put_row(struct buf *out, const void *row)
{
	CLEANUP(buf_done) struct buf cell = BUF_INIT;

	for (int i = 0; i < cdr_entity->fields; i++) {
		buf_clear(&cell);
		if (row)
			row_print(&cdr_entity->field[i], row, &cell);
		else
			buf_putz(&cell, cdr_entity->field[i].name);
		if (i > 0)
			buf_putc(out, ',');
		csv_put(out, buf_str(&cell), ',');
	}
	buf_putz(out, "\r\n");
}

static int to_csv(void *ctx, const void *row)
{
	put_row(ctx, row);
	return buf_error(ctx);
}

static int to_lines(void *ctx, const void *row)
{
	json_t *j = row_to_json(cdr_entity, row);
	char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;

	json_decref(j);
	if (!text)
		return -ENOMEM;
	buf_putz(ctx, text);
	buf_putc(ctx, '\n');
	free(text);
	return buf_error(ctx);
}

int cdr_export(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	CLEANUP(buf_done) struct buf format = BUF_INIT;
	struct filter q;
	bool is_csv = !arg_text(r, "format", &format) || str_eq(buf_str(&format), STR("csv"));
	int error = filter_read(&q, r, 100000, err);

	if (error == 0 && !is_csv && !str_eq(buf_str(&format), STR("json")))
		error = err_set(err, ERR_BAD_VALUE, "format", buf_str(&format), "csv or json",
				"not a format for export");
	if (error == 0 && is_csv)
		put_row(&out, NULL);
	if (error == 0)
		error = run(o, &q, is_csv ? to_csv : to_lines, &out, err);
	filter_done(&q);
	if (error == 0)
		*ret = json_of_text(buf_str(&out));
	return error;
}

/* ---- one record ---- */

static int find(struct ops *o, const struct request *r, struct cdr_row **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct shelf s;
	int64_t id;
	int error = arg_need(r, "id", &text, err);

	if (error < 0)
		return error;
	if (read_id(buf_str(&text), &id) < 0)
		return bad_id("id", buf_str(&text), err);
	error = shelf_open(&s, o, err);
	if (error == 0)
		error = cdr_find(s.ledger, buf_cstr(&s.dir), id, ret);
	shelf_close(&s);
	if (error == -ENOENT)
		return err_set(err, ERR_NOT_FOUND, "id", buf_str(&text),
			       "an id that `cdr list` shows", "there is no such record");
	return error;
}

int cdr_show(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct cdr_row *row = NULL;
	int error = find(o, r, &row, err);

	if (error == 0)
		*ret = row_to_json(cdr_entity, row);
	row_free(cdr_entity, row);
	return error;
}

int cdr_explain(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct cdr_row *row = NULL;
	int error = find(o, r, &row, err);

	if (error == 0 && row) {
		json_t *steps = row->decisions ? json_loads(row->decisions, 0, NULL) : NULL;
		json_t *whole = row_to_json(cdr_entity, row);

		*ret = json_pack("{s:O s:O s:O s:o}", "id", json_object_get(whole, "id"), "reason",
				 json_object_get(whole, "reason"), "sip_code",
				 json_object_get(whole, "sip_code"), "steps",
				 steps ? steps : json_array());
		json_decref(whole);
	}
	row_free(cdr_entity, row);
	return error;
}

/* ---- verification ---- */

int cdr_verify_op(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	ms_t from, to = FIELD_ABSENT;
	int error = arg_time(r, "from", FIELD_ABSENT, &from, err);

	if (error == 0)
		error = arg_time(r, "to", FIELD_ABSENT, &to, err);
	return error != 0 ? error : cdr_verify(o->c.data_dir, from, to, ret, err);
}

int ledger_verify_op(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	(void)r;
	return ledger_verify(o->c.data_dir, ret, err);
}
