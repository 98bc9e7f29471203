#include "store/rollup.h"

#include <errno.h>

#include "store/month.h"
#include "store/rollup_inner.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

struct column {
	const char *name, *value;
};

#define KEY(name, type, value) { #name, value },
#define COLUMN(name, value)    { #name, value },
static const struct column sale_keys[] = { ROLLUP_SALE_KEYS(KEY) };
static const struct column sale_sums[] = { ROLLUP_SALE_SUMS(COLUMN) };
static const struct column purchase_keys[] = { ROLLUP_PURCHASE_KEYS(KEY) };
static const struct column purchase_sums[] = { ROLLUP_PURCHASE_SUMS(COLUMN) };
static const struct column ending_keys[] = { ROLLUP_ENDING_KEYS(KEY) };
static const struct column ending_sums[] = { ROLLUP_ENDING_SUMS(COLUMN) };
static const struct column share_keys[] = { ROLLUP_SHARE_KEYS(KEY) };
static const struct column share_sums[] = { ROLLUP_SHARE_SUMS(COLUMN) };

static const struct {
	const char *name, *where;
	const struct column *key, *sum;
	int keys, sums;
} rollups[ROLLUP_COUNT] = {
	[ROLLUP_SALE] = { "sale", ROLLUP_CUSTOMER, sale_keys, sale_sums, COUNT(sale_keys),
			  COUNT(sale_sums) },
	[ROLLUP_PURCHASE] = { "purchase", "tries > 0 AND routing_gateway IS NOT NULL",
			      purchase_keys, purchase_sums, COUNT(purchase_keys),
			      COUNT(purchase_sums) },
	[ROLLUP_ENDING] = { "ending", "true", ending_keys, ending_sums, COUNT(ending_keys),
			    COUNT(ending_sums) },
	[ROLLUP_SHARE] = { "share", "true", share_keys, share_sums, COUNT(share_keys),
			   COUNT(share_sums) },
};

/* --- SQL --- */

const char *rollup_name(enum rollup r)
{
	return rollups[r].name;
}

int rollup_sums(enum rollup r)
{
	return rollups[r].sums;
}

const char *rollup_sum(enum rollup r, int i)
{
	return rollups[r].sum[i].name;
}

void rollup_put_keys(enum rollup r, struct buf *sql)
{
	for (int i = 0; i < rollups[r].keys; i++)
		buf_printf(sql, "%s%s", i ? ", " : "", rollups[r].key[i].name);
}

void rollup_put_sums(enum rollup r, struct buf *sql)
{
	for (int i = 0; i < rollups[r].sums; i++)
		buf_printf(sql, "%ssum(%s) AS %s", i ? ", " : "", rollups[r].sum[i].name,
			   rollups[r].sum[i].name);
}

static void put_values(const struct column *c, int n, struct buf *sql)
{
	for (int i = 0; i < n; i++)
		buf_printf(sql, "%s%s AS %s", i ? ", " : "", c[i].value, c[i].name);
}

/* The records, or one row for each agent of each. */
static void put_records(enum rollup r, const char *table, struct buf *sql)
{
	if (r == ROLLUP_SHARE)
		buf_printf(sql,
			   "(SELECT c.*, j.value AS share FROM %s c, "
			   "json_each(iif(json_valid(c.agents), c.agents, '[]')) j)",
			   table);
	else
		buf_putz(sql, table);
}

void rollup_put_select(enum rollup r, const char *table, const char *where, struct buf *sql)
{
	buf_putz(sql, "SELECT ");
	put_values(rollups[r].key, rollups[r].keys, sql);
	buf_putz(sql, ", ");
	put_values(rollups[r].sum, rollups[r].sums, sql);
	buf_putz(sql, " FROM ");
	put_records(r, table, sql);
	buf_printf(sql, " WHERE %s", rollups[r].where);
	if (where)
		buf_printf(sql, " AND %s", where);
}

/* INSERT of the sums over what a query selects, on top of what is there. */
static void put_insert(enum rollup r, const char *table, const char *where, struct buf *sql)
{
	buf_printf(sql, "INSERT INTO main.%s (", rollups[r].name);
	rollup_put_keys(r, sql);
	for (int i = 0; i < rollups[r].sums; i++)
		buf_printf(sql, ", %s", rollups[r].sum[i].name);
	buf_putz(sql, ") SELECT ");
	rollup_put_keys(r, sql);
	buf_putz(sql, ", ");
	rollup_put_sums(r, sql);
	buf_putz(sql, " FROM (");
	rollup_put_select(r, table, where, sql);
	buf_putz(sql, ") WHERE true GROUP BY ");
	rollup_put_keys(r, sql);
	buf_putz(sql, " ON CONFLICT DO UPDATE SET ");
	for (int i = 0; i < rollups[r].sums; i++)
		buf_printf(sql, "%s%s = %s + excluded.%s", i ? ", " : "", rollups[r].sum[i].name,
			   rollups[r].sum[i].name, rollups[r].sum[i].name);
}

/* Runs what is in *sql with ?1 and ?2, and empties it. */
static int run(struct db *d, struct buf *sql, int64_t a, int64_t b)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	const char *text = buf_cstr(sql);
	int r = text ? stmt_prepare(&s, d, text) : -ENOMEM;

	buf_clear(sql);
	if (r < 0)
		return r;
	stmt_bind_int(s, 1, a);
	stmt_bind_int(s, 2, b);
	return stmt_run(s);
}

static int add_range(struct db *ledger, int64_t low, int64_t high)
{
	CLEANUP(buf_done) struct buf sql = BUF_INIT;
	int r = 0;

	for (int i = 0; r == 0 && i < ROLLUP_COUNT; i++) {
		put_insert((enum rollup)i, "main.outbox", "id BETWEEN ?1 AND ?2", &sql);
		r = run(ledger, &sql, low, high);
	}
	return r;
}

/* How many records lie there. */
static int count_range(struct db *ledger, int64_t low, int64_t high)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, ledger,
			     "SELECT count(*) FROM main.outbox WHERE id BETWEEN ?1 AND ?2");

	if (r < 0)
		return r;
	stmt_bind_int(s, 1, low);
	stmt_bind_int(s, 2, high);
	r = stmt_step(s);
	return r == 1 ? (int)stmt_int(s, 0) : r;
}

/* They are the oldest ones, so it is one range, unless older ones have come since they were read. */
int rollup_add(struct db *ledger, const int64_t *ids, int count)
{
	int r = count > 0 ? count_range(ledger, ids[0], ids[count - 1]) : 0;

	if (r < 0 || count == 0)
		return r;
	if (r == count)
		return add_range(ledger, ids[0], ids[count - 1]);
	r = 0;
	for (int i = 0; r == 0 && i < count; i++)
		r = add_range(ledger, ids[i], ids[i]);
	return r;
}

/* --- anew --- */

/* One transaction for a month, so that one that fails has changed nothing. */
static int in_month(struct db *d, const char *path, rollup_month_fn *on_month, void *ctx)
{
	int r = db_attach(d, path, "month");

	if (r < 0)
		return r == -ENOENT ? 0 : r; /* its time was over and it was removed just now */
	r = db_exec(d, "BEGIN");
	if (r == 0)
		r = on_month(ctx, d);
	if (r == 0)
		r = db_commit(d);
	if (r < 0)
		db_rollback(d);
	int detached = db_detach(d, "month");
	return r < 0 ? r : detached;
}

int rollup_each_month(struct db *d, const char *dir, rollup_month_fn *on_month, void *ctx)
{
	CLEANUP(free) struct month *months = NULL;
	size_t n = 0;
	int r = month_list(dir, &months, &n);

	for (size_t i = n; r == 0 && i-- > 0;) {
		CLEANUP(buf_done) struct buf path = BUF_INIT;

		month_path(dir, months[i], &path);
		r = buf_cstr(&path) ? in_month(d, path.p, on_month, ctx) : -ENOMEM;
		if (r != -EINVAL)
			continue;
		/* An older program made it, and a column is missing. */
		r = month_refresh(dir, months[i]);
		if (r == 0)
			r = in_month(d, path.p, on_month, ctx);
	}
	return r;
}

int rollup_first_slot(struct db *d, const char *dir, const char *schema, int64_t *ret)
{
	CLEANUP(free) struct month *months = NULL;
	CLEANUP(stmt_free) struct stmt *s = NULL;
	CLEANUP(buf_done) struct buf sql = BUF_INIT;
	size_t n = 0;
	int r = month_list(dir, &months, &n);

	*ret = 0;
	if (r < 0 || n == 0)
		return r;
	int64_t oldest = month_start(months[n - 1]) / ROLLUP_MS;
	buf_printf(&sql, "SELECT min(slot) FROM %s.ending", schema);
	r = buf_cstr(&sql) ? stmt_prepare(&s, d, sql.p) : -ENOMEM;
	if (r == 0)
		r = stmt_step(s);
	if (r == 1 && !stmt_is_null(s, 0) && stmt_int(s, 0) < oldest)
		*ret = oldest + ROLLUP_DAY;
	return r < 0 ? r : 0;
}

static int add_month(void *ctx, struct db *d)
{
	CLEANUP(buf_done) struct buf sql = BUF_INIT;
	int64_t *first = ctx;
	int r = 0;

	/* A crash between copy and clearing leaves a record in both: it is summed when it leaves the outbox. */
	for (int i = 0; r == 0 && i < ROLLUP_COUNT; i++) {
		put_insert((enum rollup)i, "month.cdr",
			   ROLLUP_SLOT " >= ?1 AND ?2 = 0"
				       " AND id NOT IN (SELECT id FROM main.outbox)",
			   &sql);
		r = run(d, &sql, *first, 0);
	}
	return r;
}

static int clear(struct db *d, int64_t first)
{
	CLEANUP(buf_done) struct buf sql = BUF_INIT;
	int r = db_exec(
		d, "DELETE FROM turnover; INSERT INTO turnover (account, slot, kind, entries, "
		   "amount) SELECT account, at / 900000, kind, count(*), sum(amount) FROM entry "
		   "GROUP BY 1, 2, 3");

	for (int i = 0; r == 0 && i < ROLLUP_COUNT; i++) {
		buf_printf(&sql, "DELETE FROM main.%s WHERE slot >= ?1 AND ?2 = 0",
			   rollups[i].name);
		r = run(d, &sql, first, 0);
	}
	return r;
}

/* Files cannot be attached within a transaction, so each month is one; a crash in between leaves the mark, and it begins anew. */
int rollup_rebuild(struct db *ledger, const char *dir)
{
	int64_t first = 0;
	int r = rollup_first_slot(ledger, dir, "main", &first);

	if (r == 0)
		r = db_exec(ledger, "INSERT OR REPLACE INTO summed (id, is_whole) VALUES (1, 0)");
	if (r == 0)
		r = clear(ledger, first);
	if (r == 0)
		r = rollup_each_month(ledger, dir, add_month, &first);
	if (r == 0)
		r = db_exec(ledger, "UPDATE summed SET is_whole = 1");
	return r;
}

int rollup_adopt(struct db *ledger, const char *dir)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, ledger, "SELECT is_whole FROM summed");

	if (r == 0)
		r = stmt_step(s);
	bool is_whole = r == 1 && stmt_int(s, 0);
	s = stmt_free(s);
	return r < 0 || is_whole ? (r < 0 ? r : 0) : rollup_rebuild(ledger, dir);
}
