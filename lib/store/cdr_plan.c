#include "store/cdr_plan.h"

#include <errno.h>

/*
 * ENOUGH: an index that gives fewer records than that is as good as any. SORTED: so many ids are found and sorted in some 20 ms.
 * SPARE: records that stand in the outbox still are passed over in the file.
 */
enum { ENOUGH = 5000, SORTED = 50000, SPARE = 1024, FIRST_TEST = 3 /* ?1 and ?2 bound the id */ };

/* --- the tests of a filter --- */

static struct plan_test *add(struct cdr_plan *p, const char *column, enum plan_match match)
{
	struct plan_test *t = &p->test[p->tests++];

	*t = (struct plan_test){ .column = column, .match = match, .beyond = BUF_INIT };
	return t;
}

static void add_equal(struct cdr_plan *p, const char *column, struct str text)
{
	struct plan_test *t;

	if (str_is_empty(text))
		return;
	t = add(p, column, MATCH_EQUAL);
	t->has_index = true;
	t->text = text;
}

static void add_number(struct cdr_plan *p, const char *column, enum plan_match match, int64_t n)
{
	if (n != FIELD_ABSENT)
		add(p, column, match)->number = n;
}

/* "8801712" is that number; "880*" all that begin so. The first text behind them ends in the next character. */
static void add_called(struct cdr_plan *p, const char *column, struct str text)
{
	struct plan_test *t;

	if (!str_has_suffix(text, STR("*"))) {
		add_equal(p, column, text);
		return;
	}
	text = str_head(text, text.n - 1);
	if (str_is_empty(text))
		return;
	t = add(p, column, MATCH_PREFIX);
	t->has_index = true;
	t->text = text;
	buf_put(&t->beyond, text);
	if (buf_error(&t->beyond) == 0)
		t->beyond.p[text.n - 1]++;
}

int plan_init(struct cdr_plan *p, const struct cdr_filter *f, int64_t low, int64_t high)
{
	int r = 0;

	*p = (struct cdr_plan){ .filter = f, .low = low, .high = high, .leader = -1 };
	add_equal(p, "call_id", f->call_id);
	add_called(p, "callee", f->callee);
	add_called(p, "caller", f->caller);
	add_equal(p, "routing_gateway", f->routing_gateway);
	add_equal(p, "mapping_gateway", f->mapping_gateway);
	add_equal(p, "account", f->account);
	add_equal(p, "reason", f->reason);
	add_number(p, "sip_code", MATCH_NUMBER, f->sip_code);
	add_number(p, "hold_ms", MATCH_LEAST, f->min_ms);
	add_number(p, "hold_ms", MATCH_BELOW, f->below_ms);
	if (f->answered != CDR_ANSWERED_OR_NOT)
		add(p, "answer", f->answered == CDR_ANSWERED ? MATCH_SET : MATCH_NULL);
	for (int i = 0; r == 0 && i < p->tests; i++) {
		p->test[i].has_index |= p->test[i].match == MATCH_NUMBER;
		r = buf_error(&p->test[i].beyond);
	}
	if (r < 0)
		plan_done(p);
	return r;
}

void plan_done(struct cdr_plan *p)
{
	for (int i = 0; i < p->tests; i++)
		buf_done(&p->test[i].beyond);
	p->tests = 0;
}

/* --- SQL --- */

/* mark: of its first parameter; "+" before the column keeps its index out of it. */
static void put_test(const struct plan_test *t, int mark, bool leads, struct buf *sql)
{
	const char *plus = leads ? "" : "+";

	switch (t->match) {
	case MATCH_EQUAL:
	case MATCH_NUMBER:
		buf_printf(sql, " AND %s%s = ?%d", plus, t->column, mark);
		break;
	case MATCH_PREFIX:
		buf_printf(sql, " AND %s%s >= ?%d AND %s%s < ?%d", plus, t->column, mark, plus,
			   t->column, mark + 1);
		break;
	case MATCH_LEAST:
		buf_printf(sql, " AND %s >= ?%d", t->column, mark);
		break;
	case MATCH_BELOW:
		buf_printf(sql, " AND %s < ?%d", t->column, mark);
		break;
	case MATCH_NULL:
		buf_printf(sql, " AND %s IS NULL", t->column);
		break;
	case MATCH_SET:
		buf_printf(sql, " AND %s IS NOT NULL", t->column);
		break;
	}
}

static int marks(const struct plan_test *t)
{
	return t->match == MATCH_PREFIX                          ? 2
	       : t->match == MATCH_NULL || t->match == MATCH_SET ? 0
								 : 1;
}

static void bind_test(const struct plan_test *t, int mark, struct stmt *s)
{
	if (t->match == MATCH_EQUAL || t->match == MATCH_PREFIX)
		stmt_bind_text(s, mark, t->text);
	else if (marks(t) == 1)
		stmt_bind_int(s, mark, t->number);
	if (t->match == MATCH_PREFIX)
		stmt_bind_text(s, mark + 1, buf_str(&t->beyond));
}

static void put_leader(const struct cdr_plan *p, struct buf *sql)
{
	if (p->leader >= 0)
		buf_printf(sql, " INDEXED BY cdr_%s", p->test[p->leader].column);
}

static void put_where(const struct cdr_plan *p, struct buf *sql)
{
	int mark = FIRST_TEST;

	buf_putz(sql, " WHERE id >= ?1 AND id < ?2");
	for (int i = 0; i < p->tests; i++) {
		put_test(&p->test[i], mark, i == p->leader, sql);
		mark += marks(&p->test[i]);
	}
	if (!p->filter->has_hidden)
		buf_putz(sql, " AND hidden = 0");
}

void plan_put_sql(const struct cdr_plan *p, const char *table, struct buf *sql)
{
	bool is_sorted = p->leader >= 0 && p->test[p->leader].match == MATCH_PREFIX;
	int64_t limit = p->filter->limit;

	buf_printf(sql, " FROM %s", table);
	if (is_sorted)
		buf_printf(sql, " WHERE id IN (SELECT id FROM %s", table);
	put_leader(p, sql);
	put_where(p, sql);
	buf_putz(sql, " ORDER BY id DESC");
	if (is_sorted)
		buf_printf(sql, " LIMIT %lld) ORDER BY id DESC",
			   limit ? (long long)limit + SPARE : -1LL);
}

void plan_bind(const struct cdr_plan *p, struct stmt *s)
{
	int mark = FIRST_TEST;

	stmt_bind_int(s, 1, p->low);
	stmt_bind_int(s, 2, p->high);
	for (int i = 0; i < p->tests; i++) {
		bind_test(&p->test[i], mark, s);
		mark += marks(&p->test[i]);
	}
}

/* --- who leads --- */

/* A file that an older program made, and the outbox, lack indexes. */
static int has_index(struct db *d, const char *column, bool *ret)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	int r = stmt_prepare(&s, d,
			     "SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?1");

	if (r < 0)
		return r;
	buf_printf(&name, "cdr_%s", column);
	if (!buf_cstr(&name))
		return -ENOMEM;
	stmt_bind_text(s, 1, buf_str(&name));
	r = stmt_step(s);
	*ret = r == 1;
	return r < 0 ? r : 0;
}

/* How many records the index would give, up to `most`. */
static int probe(const struct cdr_plan *p, struct db *d, const char *table,
		 const struct plan_test *t, int64_t most, int64_t *ret)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	CLEANUP(buf_done) struct buf sql = BUF_INIT;

	buf_printf(&sql,
		   "SELECT count(*) FROM (SELECT 1 FROM %s INDEXED BY cdr_%s"
		   " WHERE id >= ?1 AND id < ?2",
		   table, t->column);
	put_test(t, FIRST_TEST, true, &sql);
	buf_printf(&sql, " LIMIT %lld)", (long long)most);
	int r = buf_cstr(&sql) ? stmt_prepare(&s, d, sql.p) : -ENOMEM;
	if (r < 0)
		return r;
	stmt_bind_int(s, 1, p->low);
	stmt_bind_int(s, 2, p->high);
	bind_test(t, FIRST_TEST, s);
	r = stmt_step(s);
	if (r == 1)
		*ret = stmt_int(s, 0);
	return r < 0 ? r : 0;
}

int plan_choose(struct cdr_plan *p, struct db *d, const char *table)
{
	int64_t fewest = INT64_MAX;

	p->leader = -1;
	for (int i = 0; i < p->tests && fewest >= ENOUGH; i++) {
		const struct plan_test *t = &p->test[i];
		int64_t most = t->match == MATCH_PREFIX ? SORTED : ENOUGH, n = 0;
		bool is_there = false;
		int r = t->has_index ? has_index(d, t->column, &is_there) : 0;

		if (r == 0 && is_there)
			r = probe(p, d, table, t, most, &n);
		if (r < 0)
			return r;
		/* Many, and each by itself or behind its equals: the later ones of the same size are no better. */
		if (is_there && n < fewest && (t->match != MATCH_PREFIX || n < SORTED)) {
			fewest = n;
			p->leader = i;
		}
	}
	return 0;
}
