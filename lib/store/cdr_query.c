#include "store/cdr_query.h"

#include <errno.h>
#include <stdlib.h>

#include "store/cdr_plan.h"
#include "store/month.h"
#include "store/schema.h"

enum { BUSY_MS = 1000 };

/* A table of CDRs being read, newest first. */
struct source {
	struct db *own;    /* of a month file: its connection */
	struct stmt *stmt; /* NULL: nothing (more) there */
	int64_t id;        /* of the row it stands at */
};

struct query {
	const struct cdr_filter *filter;
	struct cdr_plan plan;
	struct source outbox;
	struct source file;
	const char *dir;
	struct month *months;
	size_t month_count;
	size_t next_month;
};

/* --- SQL --- */

/* A month file of an older program lacks what came later: its records have the default there. */
static void put_columns(struct str names, struct buf *sql)
{
	const struct entity *e = &entities[ENTITY_CDR];
	const char *comma = "";

	for (int i = 0; i < e->fields; i++) {
		const struct field *f = &e->field[i];

		if (!rows_is_stored(f))
			continue;
		buf_putz(sql, comma);
		if (schema_has(names, str_of(f->name)))
			buf_printf(sql, "\"%s\"", f->name);
		else if (f->default_int != FIELD_ABSENT && f->type != FIELD_ENUM)
			buf_printf(sql, "%lld", (long long)f->default_int);
		else
			buf_putz(sql, "NULL");
		comma = ", ";
	}
}

/* --- sources --- */

static void source_close(struct source *s)
{
	s->stmt = stmt_free(s->stmt);
	s->own = db_close(s->own);
}

/* To the next row. At the end it is closed, so that no old snapshot is held. */
static int source_step(struct source *s)
{
	int r = stmt_step(s->stmt);

	if (r == 1)
		s->id = stmt_int(s->stmt, CDR_ID);
	else
		source_close(s);
	return r < 0 ? r : 0;
}

static int source_start(struct query *q, struct source *s, struct db *d, const char *table)
{
	CLEANUP(buf_done) struct buf names = BUF_INIT, sql = BUF_INIT;

	int r = schema_columns(d, table, &names);
	if (r < 0 || names.n == 0)
		return r;
	r = plan_choose(&q->plan, d, table);
	if (r < 0)
		return r;
	buf_putz(&sql, "SELECT ");
	put_columns(buf_str(&names), &sql);
	plan_put_sql(&q->plan, table, &sql);
	r = buf_cstr(&sql) ? stmt_prepare(&s->stmt, d, sql.p) : -ENOMEM;
	if (r < 0)
		return r;
	plan_bind(&q->plan, s->stmt);
	return source_step(s);
}

static int open_month(struct query *q, struct month m)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	month_path(q->dir, m, &path);
	if (!buf_cstr(&path))
		return -ENOMEM;
	int r = db_open(&q->file.own, path.p, DB_READ, BUSY_MS);
	if (r < 0)
		return r == -ENOENT ? 0 : r; /* its time was over and it was removed just now */
	db_set_stop(q->file.own, q->filter->stop);
	r = source_start(q, &q->file, q->file.own, "cdr");
	if (!q->file.stmt)
		source_close(&q->file);
	return r;
}

/* Opens months until one has a row or none is left. */
static int fill(struct query *q)
{
	int r = 0;

	while (r == 0 && !q->file.stmt && q->next_month < q->month_count) {
		struct month m = q->months[q->next_month++];

		if (month_cmp(m, month_of(q->plan.high - 1)) <= 0 &&
		    month_cmp(m, month_of(q->plan.low)) >= 0)
			r = open_month(q, m);
	}
	return r;
}

/*
 * The outbox is looked at first, and its snapshot held: a record that moves meanwhile is then seen
 * in both, not in neither.
 */
static int query_start(struct query *q, struct db *ledger)
{
	int r = source_start(q, &q->outbox, ledger, "outbox");

	if (r == 0)
		r = month_list(q->dir, &q->months, &q->month_count);
	return r == 0 ? fill(q) : r;
}

static void query_done(struct query *q)
{
	source_close(&q->outbox);
	source_close(&q->file);
	free(q->months);
	plan_done(&q->plan);
}

/* The source whose row comes next; NULL when both are used up. Where both have the same record, the
 * file's stands back. */
static int pick(struct query *q, struct source **ret)
{
	if (q->outbox.stmt && q->file.stmt && q->outbox.id == q->file.id) {
		int r = source_step(&q->file);

		if (r == 0)
			r = fill(q);
		if (r < 0)
			return r;
	}
	if (q->outbox.stmt && (!q->file.stmt || q->outbox.id > q->file.id))
		*ret = &q->outbox;
	else
		*ret = q->file.stmt ? &q->file : NULL;
	return 0;
}

static int give(struct source *s, rows_fn *on_row, void *ctx)
{
	void *row = rows_read(&entities[ENTITY_CDR], s->stmt, 0);

	if (!row)
		return -ENOMEM;
	int r = on_row(ctx, row);
	row_free(&entities[ENTITY_CDR], row);
	return r;
}

static int walk(struct query *q, rows_fn *on_row, void *ctx)
{
	for (int64_t n = 0; q->filter->limit == 0 || n < q->filter->limit; n++) {
		struct source *s;
		int r = pick(q, &s);

		if (r < 0 || !s)
			return r;
		r = give(s, on_row, ctx);
		if (r != 0)
			return r;
		r = source_step(s);
		if (r == 0)
			r = fill(q);
		if (r < 0)
			return r;
	}
	return 0;
}

static int query_run(const struct cdr_filter *f, int64_t low, int64_t high, struct db *ledger,
		     const char *dir, rows_fn *on_row, void *ctx)
{
	struct query q = { .filter = f, .dir = dir };

	if (low >= high)
		return 0;
	int r = plan_init(&q.plan, f, low, high);
	if (r == 0) {
		db_set_stop(ledger, f->stop);
		r = query_start(&q, ledger);
	}
	if (r == 0)
		r = walk(&q, on_row, ctx);
	query_done(&q);
	db_set_stop(ledger, NULL);
	return r;
}

int cdr_query(struct db *ledger, const char *dir, const struct cdr_filter *f, rows_fn *on_row,
	      void *ctx)
{
	int64_t low = f->from == FIELD_ABSENT ? 0 : cdr_id_at(f->from);
	int64_t high = f->to == FIELD_ABSENT ? INT64_MAX : cdr_id_at(f->to);

	if (f->after > 0 && f->after < high)
		high = f->after;
	return query_run(f, low, high, ledger, dir, on_row, ctx);
}

static int keep_row(void *ctx, const void *row)
{
	struct cdr_row **kept = ctx;

	*kept = row_copy(&entities[ENTITY_CDR], row);
	return *kept ? 0 : -ENOMEM;
}

int cdr_find(struct db *ledger, const char *dir, int64_t id, struct cdr_row **ret)
{
	struct cdr_filter f = CDR_FILTER_INIT;
	struct cdr_row *row = NULL;

	if (id < 0 || id == INT64_MAX)
		return -ENOENT;
	f.has_hidden = true;
	int r = query_run(&f, id, id + 1, ledger, dir, keep_row, &row);
	if (r < 0)
		return r;
	if (!row)
		return -ENOENT;
	*ret = row;
	return 0;
}

/* --- those of known ids --- */

static int by_id(struct source *s, struct db *d, const char *table)
{
	CLEANUP(buf_done) struct buf names = BUF_INIT, sql = BUF_INIT;

	int r = schema_columns(d, table, &names);
	if (r < 0 || names.n == 0)
		return r;
	buf_putz(&sql, "SELECT ");
	put_columns(buf_str(&names), &sql);
	buf_printf(&sql, " FROM %s WHERE id = ?1", table);
	return buf_cstr(&sql) ? stmt_prepare(&s->stmt, d, sql.p) : -ENOMEM;
}

/* The file of that month in place of the one before; none is no error. */
static int turn_to(struct source *s, const char *dir, struct month m)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	source_close(s);
	month_path(dir, m, &path);
	if (!buf_cstr(&path))
		return -ENOMEM;
	int r = db_open(&s->own, path.p, DB_READ, BUSY_MS);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return by_id(s, s->own, "cdr");
}

/* 1: it was there. */
static int fetch_from(struct source *s, int64_t id, rows_fn *on_row, void *ctx)
{
	if (!s->stmt)
		return 0;
	stmt_bind_int(s->stmt, 1, id);
	int r = stmt_step(s->stmt);
	if (r == 1) {
		int given = give(s, on_row, ctx);

		r = given == 0 ? 1 : given;
	}
	stmt_reset(s->stmt);
	return r;
}

/* The outbox first: a record that is no longer there is in its file already. */
int cdr_fetch(struct db *ledger, const char *dir, const int64_t *ids, int n, rows_fn *on_row,
	      void *ctx)
{
	struct source outbox = { 0 }, file = { 0 };
	struct month open = { 0, 0 };
	int r = by_id(&outbox, ledger, "outbox");

	for (int i = 0; r >= 0 && i < n; i++) {
		struct month m = month_of(ids[i]);

		r = fetch_from(&outbox, ids[i], on_row, ctx);
		if (r == 0 && month_cmp(m, open) != 0) {
			r = turn_to(&file, dir, m);
			open = m;
		}
		if (r == 0)
			r = fetch_from(&file, ids[i], on_row, ctx);
	}
	source_close(&outbox);
	source_close(&file);
	return r < 0 ? r : 0;
}
