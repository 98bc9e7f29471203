#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/csv.h"
#include "ledger/verify.h"
#include "ops/cdr_detail.h"
#include "ops/cdr_filter.h"
#include "ops/clerk.h"
#include "store/records.h"

/*
 * Questions about records. What they ask for and may ask for is read in the main thread; the clerk's threads look for it, on
 * connections of their own.
 */

static const struct entity *const cdr_entity = &entities[ENTITY_CDR];

enum { LIST_ROWS = 100, EXPORT_ROWS = 2000 };

/* ---- where the records are ---- */

static int open_records(struct records *all, const char *data_dir, struct err *err)
{
	int r = records_open(all, data_dir);

	return r < 0 ? records_unreadable("the records", r, err) : 0;
}

static int bad_id(const char *name, struct str given, struct err *err)
{
	return err_set(err, ERR_BAD_VALUE, name, given, "16 hex digits, as `cdr list` shows them",
		       "not the id of a record");
}

/* ---- a task of the clerk ---- */

struct search {
	struct ask_cdrs ask;
	const char *data_dir;
	/* an export */
	bool is_csv, is_first, has_limit, has_more;
	int64_t page, left; /* records on this page; and all that may still come */
	int64_t done, last; /* so far, with the pages before; the id of the last one */
	struct buf out;
	int64_t count;
};

static void search_free(void *task)
{
	struct search *s = task;

	ask_cdrs_done(&s->ask);
	buf_done(&s->out);
	free(s);
}

static int search_begin(struct search **ret, struct ops *o, const struct request *r,
			struct err *err)
{
	struct search *s = calloc(1, sizeof(*s));
	int e;

	if (!s)
		return -ENOMEM;
	s->data_dir = o->c.data_dir;
	e = ask_cdrs_read(&s->ask, o, r, err);
	if (e < 0)
		search_free(s);
	else
		*ret = s;
	return e;
}

static int search_run(struct search *s, const atomic_bool *stop, rows_fn *on_row, void *ctx,
		      struct err *err)
{
	CLEANUP(records_close) struct records all;
	int r = open_records(&all, s->data_dir, err);

	s->ask.f.stop = stop;
	if (r == 0)
		r = cdr_query(all.ledger, buf_cstr(&all.dir), &s->ask.f, on_row, ctx);
	return r;
}

static int64_t page_size(const struct ops *o)
{
	return param_int(catalog_world(o->catalog)->params, PARAM_SERVER_QUERY_ONE_PAGE_SIZE);
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* ---- list ---- */

static int to_array(void *ctx, const void *row)
{
	return json_array_append_new(ctx, row_to_json(cdr_entity, row)) < 0 ? -ENOMEM : 0;
}

static int work_list(void *task, const atomic_bool *stop, json_t **ret, struct err *err)
{
	json_t *list = json_array();
	int r = list ? search_run(task, stop, to_array, list, err) : -ENOMEM;

	if (r < 0)
		json_decref(list);
	else
		*ret = list;
	return r;
}

int cdr_list(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf after = BUF_INIT;
	struct search *s;
	int e = search_begin(&s, o, r, err);

	(void)ret;
	if (e < 0)
		return e;

	int64_t most = least(page_size(o), s->ask.most);

	e = arg_int(r, "limit", 1, most, least(LIST_ROWS, most), &s->ask.f.limit, err);
	if (e == 0 && arg_text(r, "after", &after) &&
	    cdr_id_read(buf_str(&after), &s->ask.f.after) < 0)
		e = bad_id("after", buf_str(&after), err);
	if (e == 0)
		e = ask_cdrs_span(&s->ask, o, err);
	if (e < 0) {
		search_free(s);
		return e;
	}
	return clerk_take(o->clerk, r, work_list, s, search_free);
}

/* ---- export: page after page, so that neither side ever holds more than one ---- */

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

static int put_line(struct buf *out, const void *row)
{
	json_t *j = row_to_json(cdr_entity, row);
	char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;

	json_decref(j);
	if (!text)
		return -ENOMEM;
	buf_putz(out, text);
	buf_putc(out, '\n');
	free(text);
	return 0;
}

/* One more than the page holds is asked for: then it is not the last. */
static int to_page(void *ctx, const void *row)
{
	struct search *s = ctx;
	const struct cdr_row *r = row;
	int e = 0;

	if (s->count == s->page) {
		s->has_more = true;
		return 1;
	}
	s->count++;
	s->last = r->id;
	if (s->is_csv)
		put_row(&s->out, row);
	else
		e = put_line(&s->out, row);
	return e < 0 ? e : buf_error(&s->out);
}

static json_t *next_page(const struct search *s)
{
	if (!s->has_more || s->left == s->page)
		return json_null();
	long long so_far = s->done + s->count;

	return json_sprintf("%016llx:%lld", (unsigned long long)s->last, so_far);
}

static int work_export(void *task, const atomic_bool *stop, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf content = BUF_INIT;
	struct search *s = task;
	long long so_far;
	int r;

	if (s->is_csv && s->is_first)
		put_row(&s->out, NULL);
	r = search_run(s, stop, to_page, s, err);
	if (r < 0)
		return r;
	so_far = s->done + s->count;
	if (s->has_more && s->left == s->page && !s->has_limit)
		return err_set(err, ERR_BAD_VALUE, "from", STR(""),
			       "a shorter time, a narrower question, limit=, or another "
			       "SERVER_QUERY_MAX_SIZE",
			       "these are more than %lld records; those so far are the newest",
			       so_far);
	buf_put_base64(&content, buf_str(&s->out), true);
	if (buf_error(&content) < 0)
		return -ENOMEM;
	*ret = json_pack("{s:s%, s:o}", "content", content.n ? content.p : "", content.n, "next",
			 next_page(s));
	return *ret ? 0 : -ENOMEM;
}

/* "id of the last record:records so far", as the page before said. */
static int read_place(struct search *s, const struct request *r, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct str id, rest;

	s->is_first = !arg_text(r, "after", &text);
	rest = buf_str(&text);
	if (s->is_first)
		return 0;
	if (!str_split(&rest, ':', &id) || cdr_id_read(id, &s->ask.f.after) < 0 ||
	    str_to_i64(rest, 1, INT64_MAX, &s->done) < 0)
		return err_set(err, ERR_BAD_VALUE, "after", buf_str(&text),
			       "what `next` of the page before says", "no page ends so");
	return 0;
}

static int read_format(struct search *s, const struct request *r, struct err *err)
{
	CLEANUP(buf_done) struct buf format = BUF_INIT;

	s->is_csv = !arg_text(r, "format", &format) || str_eq(buf_str(&format), STR("csv"));
	if (s->is_csv || str_eq(buf_str(&format), STR("json")))
		return 0;
	return err_set(err, ERR_BAD_VALUE, "format", buf_str(&format), "csv or json",
		       "not a format for export");
}

static int read_export(struct search *s, struct ops *o, const struct request *r, struct err *err)
{
	int64_t limit = 0;
	int e = read_format(s, r, err);

	if (e == 0)
		e = read_place(s, r, err);
	if (e == 0)
		e = arg_int(r, "limit", 1, s->ask.most, 0, &limit, err);
	if (e == 0)
		e = ask_cdrs_span(&s->ask, o, err);
	if (e < 0)
		return e;
	s->has_limit = limit > 0;
	s->left = (limit ? limit : s->ask.most) - s->done;
	if (s->left <= 0)
		return err_set(err, ERR_BAD_VALUE, "after", STR(""), "a smaller place",
			       "there are no pages beyond the limit");
	s->page = least(least(EXPORT_ROWS, page_size(o)), s->left);
	s->ask.f.limit = s->page + 1;
	return 0;
}

int cdr_export(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct search *s;
	int e = search_begin(&s, o, r, err);

	(void)ret;
	if (e < 0)
		return e;
	e = read_export(s, o, r, err);
	if (e < 0) {
		search_free(s);
		return e;
	}
	return clerk_take(o->clerk, r, work_export, s, search_free);
}

/* ---- one record ---- */

static int find(struct ops *o, const struct request *r, struct cdr_row **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP(records_close) struct records all = { 0 };
	int64_t id;
	int error = arg_need(r, "id", &text, err);

	if (error < 0)
		return error;
	if (cdr_id_read(buf_str(&text), &id) < 0)
		return bad_id("id", buf_str(&text), err);
	error = open_records(&all, o->c.data_dir, err);
	if (error == 0)
		error = cdr_find(all.ledger, buf_cstr(&all.dir), id, ret);
	if (error == -ENOENT)
		return err_set(err, ERR_NOT_FOUND, "id", buf_str(&text),
			       "an id that `cdr list` shows", "there is no such record");
	return error;
}

static int add_rerated(struct ops *o, const struct cdr_row *row, json_t *object, struct err *err)
{
	CLEANUP(db_close) struct db *ledger = NULL;
	int error = records_open_ledger(&ledger, o->c.data_dir);

	return error < 0 ? records_unreadable("the records", error, err)
			 : cdr_rerated_add(ledger, row, object);
}

int cdr_show(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct cdr_row *row = NULL;
	int error = find(o, r, &row, err);

	if (error == 0) {
		*ret = row_to_json(cdr_entity, row);
		error = *ret ? cdr_detail_add(row, *ret) : -ENOMEM;
	}
	if (error == 0)
		error = add_rerated(o, row, *ret, err);
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

struct audit {
	const char *data_dir;
	ms_t from, to;
};

static int work_cdr_verify(void *task, const atomic_bool *stop, json_t **ret, struct err *err)
{
	const struct audit *a = task;

	return cdr_verify(a->data_dir, a->from, a->to, stop, ret, err);
}

static int work_ledger_verify(void *task, const atomic_bool *stop, json_t **ret, struct err *err)
{
	const struct audit *a = task;

	return ledger_verify(a->data_dir, stop, ret, err);
}

static int audit(struct ops *o, struct request *r, clerk_fn *work, struct audit what)
{
	struct audit *a = malloc(sizeof(*a));

	if (!a)
		return -ENOMEM;
	*a = what;
	a->data_dir = o->c.data_dir;
	return clerk_take(o->clerk, r, work, a, free);
}

int cdr_verify_op(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct audit a = { 0 };
	int error = arg_time(r, "from", FIELD_ABSENT, &a.from, err);

	(void)ret;
	if (error == 0)
		error = arg_time(r, "to", FIELD_ABSENT, &a.to, err);
	return error != 0 ? error : audit(o, r, work_cdr_verify, a);
}

int ledger_verify_op(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	(void)ret;
	(void)err;
	return audit(o, r, work_ledger_verify, (struct audit){ 0 });
}
