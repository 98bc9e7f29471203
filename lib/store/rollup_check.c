#include <errno.h>
#include <string.h>

#include "store/rollup_inner.h"

/*
 * Work is done in a database in memory, with ledger.db attached as "ledger" and a month file at a time as "month". By
 * account and day, so that what is held is small however many calls there were.
 */
struct check {
	struct db *d;
	int64_t first, last; /* slots compared: first <= slot < last */
	int64_t records;
	rollup_fn *on_difference;
	void *ctx;
};

/* One number. */
static int ask(struct check *c, const char *sql, int64_t *ret)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, c->d, sql);

	if (r == 0)
		r = stmt_step(s);
	if (r == 1)
		*ret = stmt_int(s, 0);
	return r < 0 ? r : 0;
}

/* With the slots as ?1 and ?2. */
static int prepare(struct check *c, struct buf *sql, struct stmt **ret)
{
	int r = buf_cstr(sql) ? stmt_prepare(ret, c->d, sql->p) : -ENOMEM;

	if (r < 0)
		return r;
	stmt_bind_int(*ret, 1, c->first);
	stmt_bind_int(*ret, 2, c->last);
	return 0;
}

static int make_tables(struct check *c)
{
	CLEANUP(buf_done) struct buf sql = BUF_INIT;

	for (int i = 0; i < ROLLUP_COUNT; i++) {
		buf_printf(&sql, "CREATE TABLE %s (account, day", rollup_name((enum rollup)i));
		for (int k = 0; k < rollup_sums((enum rollup)i); k++)
			buf_printf(&sql, ", %s", rollup_sum((enum rollup)i, k));
		buf_putz(&sql, ", PRIMARY KEY (account, day)) WITHOUT ROWID;");
	}
	return buf_cstr(&sql) ? db_exec(c->d, sql.p) : -ENOMEM;
}

static int add_sums(struct check *c, enum rollup r)
{
	CLEANUP(buf_done) struct buf sql = BUF_INIT;
	CLEANUP(stmt_free) struct stmt *s = NULL;

	buf_printf(&sql, "INSERT INTO main.%s SELECT account, slot / 96, ", rollup_name(r));
	rollup_put_sums(r, &sql);
	buf_putz(&sql, " FROM (");
	rollup_put_select(r, "month.cdr", "id NOT IN (SELECT id FROM ledger.outbox)", &sql);
	buf_putz(&sql, ") WHERE slot >= ?1 AND slot < ?2 GROUP BY 1, 2 ON CONFLICT DO UPDATE SET ");
	for (int k = 0; k < rollup_sums(r); k++)
		buf_printf(&sql, "%s%s = %s + excluded.%s", k ? ", " : "", rollup_sum(r, k),
			   rollup_sum(r, k), rollup_sum(r, k));
	int e = prepare(c, &sql, &s);
	return e < 0 ? e : stmt_run(s);
}

static int add_month(void *ctx, struct db *d)
{
	struct check *c = ctx;
	int64_t n = 0;
	int r = ask(c, "SELECT count(*) FROM month.cdr", &n);

	(void)d;
	c->records += n;
	for (int i = 0; r == 0 && i < ROLLUP_COUNT; i++)
		r = add_sums(c, (enum rollup)i);
	return r;
}

/* Account, day, then the columns as stored and as computed. */
static int give_row(struct check *c, struct stmt *s, const char *table, int columns,
		    const char *(*name)(int i))
{
	struct rollup_difference d = { .table = table, .day = stmt_int(s, 1) };
	int r = 0;

	for (int i = 0; r == 0 && i < columns; i++) {
		d.stored = stmt_int(s, 2 + i);
		d.computed = stmt_int(s, 2 + columns + i);
		if (d.stored == d.computed)
			continue;
		d.account = stmt_text(s, 0);
		d.column = name(i);
		r = c->on_difference(c->ctx, &d);
	}
	return r;
}

static int each_row(struct check *c, struct buf *sql, const char *table, int columns,
		    const char *(*name)(int i))
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = prepare(c, sql, &s);

	if (r < 0)
		return r;
	while ((r = stmt_step(s)) == 1) {
		r = give_row(c, s, table, columns, name);
		if (r != 0)
			return r;
	}
	return r;
}

static const char *sale_name(int i)
{
	return rollup_sum(ROLLUP_SALE, i);
}

static const char *purchase_name(int i)
{
	return rollup_sum(ROLLUP_PURCHASE, i);
}

static const char *ending_name(int i)
{
	return rollup_sum(ROLLUP_ENDING, i);
}

static const char *share_name(int i)
{
	return rollup_sum(ROLLUP_SHARE, i);
}

static int compare(struct check *c, enum rollup r)
{
	static const char *(*const names[])(int i) = { [ROLLUP_SALE] = sale_name,
						       [ROLLUP_PURCHASE] = purchase_name,
						       [ROLLUP_ENDING] = ending_name,
						       [ROLLUP_SHARE] = share_name };
	CLEANUP(buf_done) struct buf sql = BUF_INIT;
	int n = rollup_sums(r);

	buf_putz(&sql, "WITH a AS (SELECT account, slot / 96 AS day, ");
	rollup_put_sums(r, &sql);
	buf_printf(&sql,
		   " FROM ledger.%s WHERE slot >= ?1 AND slot < ?2 GROUP BY 1, 2), k AS ("
		   "SELECT account, day FROM a UNION SELECT account, day FROM main.%s) "
		   "SELECT k.account, k.day",
		   rollup_name(r), rollup_name(r));
	for (int i = 0; i < 2 * n; i++)
		buf_printf(&sql, ", coalesce(%s.%s, 0)", i < n ? "a" : "b", rollup_sum(r, i % n));
	buf_printf(
		&sql,
		" FROM k LEFT JOIN a USING (account, day) LEFT JOIN main.%s b USING (account, day)",
		rollup_name(r));
	return each_row(c, &sql, rollup_name(r), n, names[r]);
}

static const char *turnover_name(int i)
{
	return i ? "entries" : "amount";
}

/* One statement sees one moment of the file, so nothing has to stand still. */
static int compare_turnover(struct check *c)
{
	CLEANUP(buf_done) struct buf sql = BUF_INIT;

	buf_putz(&sql,
		 "WITH a AS (SELECT account, kind, slot / 96 AS day, sum(amount) AS amount,"
		 " sum(entries) AS entries FROM ledger.turnover GROUP BY 1, 2, 3),"
		 " b AS (SELECT account, kind, at / 86400000 AS day, sum(amount) AS amount,"
		 " count(*) AS entries FROM ledger.entry GROUP BY 1, 2, 3),"
		 " k AS (SELECT account, kind, day FROM a UNION SELECT account, kind, day FROM b)"
		 " SELECT k.account, k.day, coalesce(a.amount, 0), coalesce(a.entries, 0),"
		 " coalesce(b.amount, 0), coalesce(b.entries, 0) FROM k"
		 " LEFT JOIN a USING (account, kind, day) LEFT JOIN b USING (account, kind, day)"
		 " WHERE ?1 <= ?2");
	return each_row(c, &sql, "turnover", 2, turnover_name);
}

/* Changes whenever a record leaves or enters the outbox. */
static int fingerprint(struct check *c, int64_t *ret)
{
	return ask(c,
		   "SELECT (SELECT coalesce(sum(calls) + count(*), 0) FROM ledger.ending) * 1000003"
		   " + (SELECT count(*) FROM ledger.outbox)",
		   ret);
}

static int compare_all(struct check *c, const char *dir, ms_t now_ms)
{
	int64_t before = 0, after = 0;
	int r = rollup_first_slot(c->d, dir, "ledger", &c->first);

	c->last = INT64_MAX;
	if (r == 0)
		r = fingerprint(c, &before);
	if (r == 0)
		r = rollup_each_month(c->d, dir, add_month, c);
	if (r == 0)
		r = fingerprint(c, &after);
	if (r == 0 && before != after) {
		/* Once more, without what is still moving. */
		c->last = now_ms / ROLLUP_MS - 1;
		c->records = 0;
		r = db_exec(c->d, "DELETE FROM sale; DELETE FROM purchase; DELETE FROM ending;"
				  " DELETE FROM share");
		if (r == 0)
			r = rollup_each_month(c->d, dir, add_month, c);
	}
	for (int i = 0; r == 0 && i < ROLLUP_COUNT; i++)
		r = compare(c, (enum rollup)i);
	return r == 0 ? compare_turnover(c) : r;
}

int rollup_check(const char *data_dir, ms_t now_ms, const atomic_bool *stop,
		 rollup_fn *on_difference, void *ctx, int64_t *ret_records)
{
	CLEANUP(db_close) struct db *d = NULL;
	CLEANUP(buf_done) struct buf ledger = BUF_INIT, dir = BUF_INIT;
	struct check c = { .on_difference = on_difference, .ctx = ctx };
	int r;

	buf_printf(&ledger, "%s/ledger.db", data_dir);
	buf_printf(&dir, "%s/cdr", data_dir);
	r = buf_cstr(&ledger) && buf_cstr(&dir) ? db_open(&d, ":memory:", DB_WRITE, 1000) : -ENOMEM;
	if (r == 0)
		r = db_attach(d, ledger.p, "ledger");
	c.d = d;
	if (r == 0)
		db_set_stop(d, stop);
	if (r == 0)
		r = make_tables(&c);
	if (r == 0)
		r = compare_all(&c, dir.p, now_ms);
	*ret_records = c.records;
	return r;
}
