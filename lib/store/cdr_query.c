#include "store/cdr_query.h"

#include <errno.h>
#include <stdlib.h>

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
	int64_t low, high; /* low <= id < high */
	struct source outbox;
	struct source file;
	const char *dir;
	struct month *months;
	size_t month_count;
	size_t next_month;
};

/* --- SQL --- */

struct condition {
	const char *column;
	struct str value;
};

enum { CONDITIONS = 4, FIRST_CONDITION = 3 /* ?1 and ?2 are the bounds of the id */ };

static void get_conditions(const struct cdr_filter *f, struct condition ret[CONDITIONS])
{
	ret[0] = (struct condition){ "account", f->account };
	ret[1] = (struct condition){ "callee", f->callee };
	ret[2] = (struct condition){ "reason", f->reason };
	ret[3] = (struct condition){ "call_id", f->call_id };
}

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

static void put_select(const struct cdr_filter *f, const char *table, struct str names,
		       struct buf *sql)
{
	struct condition conditions[CONDITIONS];

	get_conditions(f, conditions);
	buf_putz(sql, "SELECT ");
	put_columns(names, sql);
	buf_printf(sql, " FROM %s WHERE id >= ?1 AND id < ?2", table);
	for (int i = 0; i < CONDITIONS; i++) {
		if (!str_is_empty(conditions[i].value))
			buf_printf(sql, " AND %s = ?%d", conditions[i].column, FIRST_CONDITION + i);
	}
	if (!f->has_hidden)
		buf_putz(sql, " AND hidden = 0");
	buf_putz(sql, " ORDER BY id DESC");
}

static void bind(const struct query *q, struct stmt *s)
{
	struct condition conditions[CONDITIONS];

	get_conditions(q->filter, conditions);
	stmt_bind_int(s, 1, q->low);
	stmt_bind_int(s, 2, q->high);
	for (int i = 0; i < CONDITIONS; i++) {
		if (!str_is_empty(conditions[i].value))
			stmt_bind_text(s, FIRST_CONDITION + i, conditions[i].value);
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

static int source_start(const struct query *q, struct source *s, struct db *d, const char *table)
{
	CLEANUP(buf_done) struct buf names = BUF_INIT, sql = BUF_INIT;

	int r = schema_columns(d, table, &names);
	if (r < 0 || names.n == 0)
		return r;
	put_select(q->filter, table, buf_str(&names), &sql);
	r = buf_cstr(&sql) ? stmt_prepare(&s->stmt, d, sql.p) : -ENOMEM;
	if (r < 0)
		return r;
	bind(q, s->stmt);
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

		if (month_cmp(m, month_of(q->high - 1)) <= 0 && month_cmp(m, month_of(q->low)) >= 0)
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

static int query_run(struct query *q, struct db *ledger, rows_fn *on_row, void *ctx)
{
	if (q->low >= q->high)
		return 0;
	int r = query_start(q, ledger);
	if (r == 0)
		r = walk(q, on_row, ctx);
	query_done(q);
	return r;
}

int cdr_query(struct db *ledger, const char *dir, const struct cdr_filter *f, rows_fn *on_row,
	      void *ctx)
{
	struct query q = { .filter = f, .dir = dir, .high = INT64_MAX };

	if (f->from != FIELD_ABSENT)
		q.low = cdr_id_at(f->from);
	if (f->to != FIELD_ABSENT)
		q.high = cdr_id_at(f->to);
	if (f->after > 0 && f->after < q.high)
		q.high = f->after;
	return query_run(&q, ledger, on_row, ctx);
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
	struct query q = { .filter = &f, .dir = dir, .low = id, .high = id };
	struct cdr_row *row = NULL;

	if (id < 0 || id == INT64_MAX)
		return -ENOENT;
	q.high++;
	f.has_hidden = true;
	int r = query_run(&q, ledger, keep_row, &row);
	if (r < 0)
		return r;
	if (!row)
		return -ENOENT;
	*ret = row;
	return 0;
}
