#include "report/report.h"

#include <errno.h>

#include "base/buf.h"
#include "model/json.h"
#include "report/formula.h"
#include "report/profit.h"
#include "store/rollup.h"

/* ---- what can be asked of each source ---- */

#define SUM_NAME(name, value) #name,
static const char *const sale_sums[] = { ROLLUP_SALE_SUMS(SUM_NAME) NULL };
static const char *const purchase_sums[] = { ROLLUP_PURCHASE_SUMS(SUM_NAME) NULL };
static const char *const ending_sums[] = { ROLLUP_ENDING_SUMS(SUM_NAME) NULL };
static const char *const share_sums[] = { ROLLUP_SHARE_SUMS(SUM_NAME) NULL };
static const char *const books_sums[] = { "before", "payments", "charges", "costs",
					  "income", "other",    "entries", NULL };

static const struct source {
	enum rollup rollup; /* ROLLUP_COUNT: the books */
	const char *const *sum;
} sources[] = {
	[REPORT_FROM_SALE] = { ROLLUP_SALE, sale_sums },
	[REPORT_FROM_PURCHASE] = { ROLLUP_PURCHASE, purchase_sums },
	[REPORT_FROM_ENDING] = { ROLLUP_ENDING, ending_sums },
	[REPORT_FROM_SHARE] = { ROLLUP_SHARE, share_sums },
	[REPORT_FROM_BOOKS] = { ROLLUP_COUNT, books_sums },
};

/* A key: the column of the sums that it needs beside the account, and its SQL over t (sums) and a (the account). */
static const struct key {
	const char *name, *needs, *sql;
} keys[] = {
	{ "account", NULL, "t.account" },
	{ "name", NULL, "coalesce(a.name, '')" },
	{ "currency", NULL, "coalesce(a.currency, '')" },
	{ "agent", NULL, "coalesce(a.agent, '')" },
	{ "gateway", "gateway", "t.gateway" },
	{ "vendor", "vendor", "t.vendor" },
	{ "phone", "phone", "t.phone" },
	{ "prefix", "prefix", "t.prefix" },
	{ "area", "prefix",
	  "coalesce(nullif((SELECT r.area FROM switch.rate r WHERE r.\"group\" = a.rate_group"
	  " AND r.prefix = t.prefix ORDER BY r.effective DESC LIMIT 1), ''), t.prefix)" },
	{ "reason", "reason", "t.reason" },
	{ "code", "code", "t.code" },
};

/* Of the sums by agent: the account there is the agent. */
static const struct key share_keys[] = {
	{ "agent", NULL, "t.account" },
	{ "account", "customer", "t.customer" },
};

static const struct key *find_among(const struct key *all, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(str_of(all[i].name), str_of(name)))
			return &all[i];
	}
	return NULL;
}

static const struct key *key_find(const struct report_info *info, const char *name)
{
	const struct key *own =
		info->from == REPORT_FROM_SHARE
			? find_among(share_keys, sizeof(share_keys) / sizeof(share_keys[0]), name)
			: NULL;

	return own ? own : find_among(keys, sizeof(keys) / sizeof(keys[0]), name);
}

static bool has_key(const struct report_info *info, const char *needs)
{
	for (int i = 0; i < info->columns && info->column[i].type == REPORT_T_KEY; i++) {
		const struct key *k = key_find(info, info->column[i].name);

		if (k && k->needs && str_eq(str_of(k->needs), str_of(needs)))
			return true;
	}
	return false;
}

/* ---- SQL ---- */

/* ?1 and ?2 are slots: from and behind; then account, gateway, agent and area, NULL = any. */
enum { P_FROM = 1, P_TO, P_ACCOUNT, P_GATEWAY, P_AGENT, P_AREA };

#define PART "(SELECT n FROM main.part WHERE low <= x.slot ORDER BY low DESC LIMIT 1)"

/*
 * Records that were rated again count once more in the quarter in which that was booked: what was reversed with a minus, what was booked
 * instead. No call more, and no cost.
 */
static const struct {
	const char *keys, *from;
	const char *sum[4][2]; /* name of a sum, its SQL */
} rerated[ROLLUP_COUNT] = {
	[ROLLUP_SALE] = { "account, gateway, phone, prefix",
			  "ledger.rerating",
			  { { "billed_s", "sign * billed_s" },
			    { "fee", "sign * fee" },
			    { "tax", "sign * tax" },
			    { "agent_income", "sign * agent_income" } } },
	[ROLLUP_PURCHASE] = { "vendor_account, routing_gateway, cost_prefix",
			      "ledger.rerating",
			      { { "fee", "sign * fee" },
				{ "tax", "sign * tax" },
				{ "agent_income", "sign * agent_income" } } },
	[ROLLUP_SHARE] = { "json_extract(j.value, '$.agent'), account,"
			   " coalesce(json_extract(j.value, '$.prefix'), '')",
			   "ledger.rerating,"
			   " json_each(iif(json_valid(agents), agents, '[]')) j",
			   { { "billed_s", "sign * json_extract(j.value, '$.billed_s')" },
			     { "sold", "sign * (json_extract(j.value, '$.charge') +"
				       " json_extract(j.value, '$.income'))" },
			     { "own", "sign * json_extract(j.value, '$.charge')" },
			     { "income", "sign * json_extract(j.value, '$.income')" } } },
};

static void put_rerated(const struct source *s, struct buf *sql)
{
	enum rollup r = s->rollup;

	if (!rerated[r].keys)
		return;
	buf_printf(sql, " UNION ALL SELECT at / %d, %s", ROLLUP_MS, rerated[r].keys);
	for (int i = 0; s->sum[i]; i++) {
		const char *value = "0";

		for (int k = 0; k < 4 && rerated[r].sum[k][0]; k++) {
			if (str_eq(str_of(rerated[r].sum[k][0]), str_of(s->sum[i])))
				value = rerated[r].sum[k][1];
		}
		buf_printf(sql, ", %s", value);
	}
	buf_printf(sql, " FROM %s WHERE at >= ?1 * %d AND at < ?2 * %d", rerated[r].from, ROLLUP_MS,
		   ROLLUP_MS);
}

/* What is summed already, and what has not left the outbox: one statement sees one moment. */
static void put_rollup(const struct report_info *info, const struct source *s, struct buf *sql)
{
	static const char *const columns[] = { "gateway", "vendor", "phone",   "prefix",
					       "reason",  "code",   "customer" };
	bool is_share = info->from == REPORT_FROM_SHARE;

	buf_putz(sql, "WITH t AS (SELECT " PART " AS part, account");
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		if (has_key(info, columns[i]))
			buf_printf(sql, ", %s", columns[i]);
	}
	buf_putz(sql, ", ");
	rollup_put_sums(s->rollup, sql);
	buf_putz(sql, " FROM (SELECT ");
	rollup_put_keys(s->rollup, sql);
	for (int i = 0; s->sum[i]; i++)
		buf_printf(sql, ", %s", s->sum[i]);
	buf_printf(sql, " FROM ledger.%s WHERE slot >= ?1 AND slot < ?2 UNION ALL ",
		   rollup_name(s->rollup));
	rollup_put_select(s->rollup, "ledger.outbox", ROLLUP_SLOT " >= ?1 AND " ROLLUP_SLOT " < ?2",
			  sql);
	put_rerated(s, sql);
	buf_printf(sql, ") x WHERE (?3 IS NULL OR %s = ?3)", is_share ? "customer" : "account");
	buf_putz(sql, is_share ? " AND ?4 IS NULL" : " AND (?4 IS NULL OR gateway = ?4)");
	buf_putz(sql, " GROUP BY part, account");
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		if (has_key(info, columns[i]))
			buf_printf(sql, ", %s", columns[i]);
	}
	buf_putz(sql, ") ");
}

/* What was before is part -1. Every account has a row in the first part, so that those that did not move are there. */
static void put_books(struct buf *sql)
{
	buf_putz(
		sql,
		"WITH m AS (SELECT " PART " AS part, account, sum(payments) AS payments,"
		" sum(charges) AS charges, sum(costs) AS costs, sum(income) AS income,"
		" sum(other) AS other,"
		" sum(entries) AS entries FROM (SELECT account, slot,"
		" iif(kind = 'payment', amount, 0) AS payments,"
		" iif(kind = 'charge', amount, 0) AS charges, iif(kind = 'cost', amount, 0) AS "
		"costs,"
		" iif(kind = 'income', amount, 0) AS income,"
		" iif(kind IN ('payment', 'charge', 'cost', 'income'), 0, amount) AS other, entries"
		" FROM ledger.turnover WHERE slot < ?2"
		" UNION ALL SELECT account, ?1, 0, 0, 0, 0, 0, 0 FROM ledger.purse) x"
		" WHERE (?3 IS NULL OR account = ?3) AND ?4 IS NULL GROUP BY part, account),"
		" t AS (SELECT part, account, coalesce(sum(payments + charges + costs + income"
		" + other) OVER (PARTITION BY account ORDER BY part ROWS BETWEEN UNBOUNDED "
		"PRECEDING AND"
		" 1 PRECEDING), 0) AS before, payments, charges, costs, income, other, entries"
		" FROM m) ");
}

static void put_sql(const struct report_info *info, struct buf *sql)
{
	const struct source *s = &sources[info->from];
	int n = 2;

	if (s->rollup == ROLLUP_COUNT)
		put_books(sql);
	else
		put_rollup(info, s, sql);
	buf_putz(sql, "SELECT part, coalesce(a.currency, '')");
	for (int i = 0; i < info->columns && info->column[i].type == REPORT_T_KEY; i++, n++)
		buf_printf(sql, ", %s", key_find(info, info->column[i].name)->sql);
	for (int i = 0; s->sum[i]; i++)
		buf_printf(sql, ", sum(%s)", s->sum[i]);
	buf_printf(sql,
		   " FROM t LEFT JOIN switch.account a ON a.id = t.account WHERE part >= 0 AND %s "
		   "<> ''"
		   " AND (?5 IS NULL OR %s = ?5)",
		   key_find(info, info->column[0].name)->sql,
		   info->from == REPORT_FROM_SHARE ? "t.account" : "a.agent");
	/* An area is asked for by its name or by a prefix. */
	if (has_key(info, "prefix"))
		buf_printf(sql, " AND (?6 IS NULL OR t.prefix = ?6 OR %s = ?6)",
			   key_find(info, "area")->sql);
	else
		buf_putz(sql, " AND ?6 IS NULL");
	buf_putz(sql, " GROUP BY 1, 2");
	for (int i = 3; i <= n; i++)
		buf_printf(sql, ", %d", i);
	buf_printf(sql, " ORDER BY 1, 2");
	for (int i = 3; i <= n; i++)
		buf_printf(sql, ", %d", i);
	buf_printf(sql, " LIMIT %d", REPORT_ROWS_MAX + 1);
}

static void bind_text(struct stmt *s, int i, struct str v)
{
	if (v.n)
		stmt_bind_text(s, i, v);
	else
		stmt_bind_null(s, i);
}

/* ---- files ---- */

static int attach(struct db *d, const char *data_dir, const char *file, const char *name)
{
	CLEANUP(buf_done) struct buf path = BUF_INIT;

	buf_printf(&path, "%s/%s", data_dir, file);
	return buf_cstr(&path) ? db_attach(d, path.p, name) : -ENOMEM;
}

int report_open(struct db **ret, const char *data_dir, struct err *err)
{
	CLEANUP(db_close) struct db *d = NULL;
	int r = db_open(&d, ":memory:", DB_WRITE, 2000);

	if (r == 0)
		r = attach(d, data_dir, "ledger.db", "ledger");
	if (r == 0)
		r = attach(d, data_dir, "switch.db", "switch");
	if (r < 0)
		return err_set(err, ERR_STORE, "", STR(""), "try again",
			       "the books cannot be read: %s", d ? db_error(d) : "memory is short");
	*ret = TAKE(d);
	return 0;
}

/* Which part a slot lies in; what is before the first is -1. */
static int make_parts(struct db *d, const struct span *span)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	CLEANUP(buf_done) struct buf label = BUF_INIT;
	ms_t begin;
	int r = db_exec(d, "CREATE TABLE part (low INTEGER PRIMARY KEY, n INTEGER, label TEXT);"
			   "INSERT INTO part VALUES (-1000000000, -1, '')");

	if (r == 0)
		r = stmt_prepare(&s, d, "INSERT OR REPLACE INTO part VALUES (?, ?, ?)");
	for (int n = 0; r == 0 && span_part(span, n, &begin, &label); n++) {
		if (begin % ROLLUP_MS)
			return -ERANGE;
		stmt_bind_int(s, 1, begin / ROLLUP_MS);
		stmt_bind_int(s, 2, n);
		stmt_bind_text(s, 3, buf_str(&label));
		r = stmt_run(s);
	}
	return r;
}

/* ---- the answer ---- */

struct making {
	const struct report_info *info;
	const struct profit *profit;
	const struct span *span;
	json_t *rows, *totals, *labels;
	struct sums *total; /* one for each currency so far */
	size_t currencies;
};

/* The column with its formula, which of a profit is the operator's. */
static struct report_column column_of(const struct making *m, int i)
{
	struct report_column c = m->info->column[i];

	if (m->profit && str_eq(str_of(c.name), STR("profit")))
		c.formula = m->profit->line;
	if (m->profit && str_eq(str_of(c.name), STR("margin")))
		c.formula = m->profit->margin;
	return c;
}

static int add_cells(const struct making *m, const struct sums *s, json_t *row)
{
	for (int i = 0; i < m->info->columns; i++) {
		const struct report_column c = column_of(m, i);

		if (c.type == REPORT_T_KEY)
			continue;
		json_t *v = formula_json(&c, s);
		if (!v)
			return -ERANGE;
		if (json_object_set_new(row, c.name, v) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Rows come part by part and in a part by currency; the totals are few. */
static int add_total(struct making *m, struct str currency, const struct sums *s)
{
	size_t i = 0;

	while (i < m->currencies &&
	       !str_eq(str_of(json_string_value(json_array_get(m->labels, i))), currency))
		i++;
	if (i == m->currencies) {
		struct sums *more = reallocarray(m->total, i + 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		m->total = more;
		m->total[i] = (struct sums){ .name = s->name };
		m->currencies++;
		if (json_array_append_new(m->labels, json_of_text(currency)) < 0)
			return -ENOMEM;
	}
	for (int k = 0; s->name[k]; k++) {
		if (__builtin_add_overflow(m->total[i].value[k], s->value[k],
					   &m->total[i].value[k]))
			return -ERANGE;
	}
	return 0;
}

static int add_row(struct making *m, struct stmt *stmt, const char *label)
{
	struct sums s = { .name = sources[m->info->from].sum };
	CLEANUP(json_decref) json_t *row = json_object();
	int column = 2, r = row ? 0 : -ENOMEM;

	if (r == 0 && label[0])
		r = json_object_set_new(row, "time", json_string(label));
	for (int i = 0; r == 0 && m->info->column[i].type == REPORT_T_KEY; i++)
		r = json_object_set_new(row, m->info->column[i].name,
					json_of_text(stmt_text(stmt, column++)));
	if (r == 0)
		r = json_object_set_new(row, "currency", json_of_text(stmt_text(stmt, 1)));
	for (int i = 0; s.name[i]; i++)
		s.value[i] = stmt_int(stmt, column++);
	if (r == 0)
		r = add_cells(m, &s, row);
	if (r == 0)
		r = add_total(m, stmt_text(stmt, 1), &s);
	if (r == 0)
		r = json_array_append(m->rows, row);
	return r == -1 ? -ENOMEM : r;
}

static int read_rows(struct making *m, struct db *d, const struct report_filter *f)
{
	CLEANUP(buf_done) struct buf sql = BUF_INIT, label = BUF_INIT;
	CLEANUP(stmt_free) struct stmt *s = NULL;
	ms_t begin;

	put_sql(m->info, &sql);
	int r = buf_cstr(&sql) ? stmt_prepare(&s, d, sql.p) : -ENOMEM;
	if (r < 0)
		return r;
	stmt_bind_int(s, P_FROM, m->span->from / ROLLUP_MS);
	stmt_bind_int(s, P_TO, m->span->to / ROLLUP_MS);
	bind_text(s, P_ACCOUNT, f->account);
	bind_text(s, P_GATEWAY, f->gateway);
	bind_text(s, P_AGENT, f->agent);
	bind_text(s, P_AREA, f->area);
	while ((r = stmt_step(s)) == 1 && json_array_size(m->rows) < REPORT_ROWS_MAX) {
		buf_clear(&label);
		if (m->span->by != BY_ALL)
			(void)span_part(m->span, (int)stmt_int(s, 0), &begin, &label);
		const char *text = buf_cstr(&label);
		r = text ? add_row(m, s, text) : -ENOMEM;
		if (r < 0)
			return r;
	}
	return r;
}

static int add_totals(struct making *m)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < m->currencies; i++) {
		CLEANUP(json_decref) json_t *row = json_object();

		r = row ? json_object_set(row, "currency", json_array_get(m->labels, i)) : -ENOMEM;
		if (r == 0)
			r = add_cells(m, &m->total[i], row);
		if (r == 0)
			r = json_array_append(m->totals, row);
	}
	return r == -1 ? -ENOMEM : r;
}

static json_t *column_names(const struct making *m)
{
	json_t *names = json_array();
	bool has_currency = false;

	if (names && m->span->by != BY_ALL)
		(void)json_array_append_new(names, json_string("time"));
	for (int i = 0; names && i < m->info->columns; i++) {
		const struct report_column *c = &m->info->column[i];

		if (!has_currency && c->type != REPORT_T_KEY) {
			has_currency = true;
			(void)json_array_append_new(names, json_string("currency"));
		}
		(void)json_array_append_new(names, json_string(c->name));
	}
	return names;
}

static json_t *time_json(ms_t at)
{
	char text[CLOCK_TEXT];

	return json_string(clock_text(at, text));
}

static int finish(struct making *m, bool is_cut, json_t **ret)
{
	static const char *const by[] = { "", "hour", "day", "month" };

	*ret = json_pack("{s:s s:s s:o s:o s:s s:s s:o s:O s:O s:b}", "report", m->info->name,
			 "help", m->info->help, "from", time_json(m->span->from), "to",
			 time_json(m->span->to), "zone", m->span->zone_name, "by", by[m->span->by],
			 "columns", column_names(m), "rows", m->rows, "totals", m->totals, "is_cut",
			 is_cut);
	return *ret ? 0 : -ENOMEM;
}

int report_make(const char *data_dir, enum report_id id, const struct span *span,
		const struct report_filter *filter, const atomic_bool *stop, json_t **ret,
		struct err *err)
{
	CLEANUP(db_close) struct db *d = NULL;
	struct making m = { .info = &report_infos[id],
			    .profit = filter->profit,
			    .span = span,
			    .rows = json_array(),
			    .totals = json_array(),
			    .labels = json_array() };
	int r = m.rows && m.totals && m.labels ? report_open(&d, data_dir, err) : -ENOMEM;

	if (r == 0)
		db_set_stop(d, stop);
	if (r == 0)
		r = make_parts(d, span);
	if (r == 0)
		r = read_rows(&m, d, filter);
	if (r >= 0) {
		bool is_cut = r == 1;

		r = add_totals(&m);
		if (r == 0)
			r = finish(&m, is_cut, ret);
	}
	if (r == -ERANGE)
		r = err_set(err, ERR_BAD_VALUE, "from", STR(""), "a shorter time, or another zone",
			    "the sums do not fit, or do not lie on quarters of an hour there");
	free(m.total);
	json_decref(m.rows);
	json_decref(m.totals);
	json_decref(m.labels);
	return r;
}
