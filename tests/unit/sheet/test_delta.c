/*
 * Random rates, random sheets: what each prefix costs at each moment, before a sheet, with it and when it was undone, against a model that
 * knows nothing of versions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dice.h"
#include "sheet/load.h"
#include "sheet/store.h"
#include "store/migrate.h"

enum { PREFIXES = 6, VERSIONS = 3, LINES = 6, NOW = 1000, LAST = 1100, ROUNDS = 150, SHEETS = 3 };

static struct dice dice;

static int throw_below(int n)
{
	return (int)dice_in(&dice, 0, n - 1);
}

/* A prefix for callers of an origin group is one of its own. */
static const char *const prefix[PREFIXES] = { "1", "2", "44", "44", "880", "880" };
static const char *const origin[PREFIXES] = { "", "", "", "eu", "", "uk" };
static const char *const caller[PREFIXES] = { "1", "1", "1", "49", "1", "44" };

static struct origin eu_uk[] = { { STR_INIT("eu"), STR_INIT("49"), false },
				 { STR_INIT("uk"), STR_INIT("44"), false } };
static const struct origin_list groups = { eu_uk, 2, 2 };

static const struct tariff_rules rules = { .hold_time_precision_ms = 50 };

/* What it costs at a moment, -1: no rate. */
typedef int64_t price_table[PREFIXES][LAST + 1];

static void read_table(struct db *d, ms_t now, price_table ret)
{
	CLEANUP(tariff_free) struct tariff *t = NULL;
	struct err err = ERR_INIT;

	if (load_tariff(&t, d, STR("g"), &rules, now, &err) < 0)
		fail_msg("%s", err.message);
	for (int p = 0; t && p < PREFIXES; p++) {
		for (ms_t at = now; at <= LAST; at++) {
			const struct rate *r =
				tariff_find(t, str_of(prefix[p]), str_of(caller[p]), at);
			bool is_it = r && str_eq(str_of(tariff_origin(t, r)), str_of(origin[p]));

			ret[p][at] = is_it ? r->price : -1;
		}
	}
}

static void add_rate(struct db *d, int p, ms_t from, ms_t to, int price, int version)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;

	assert_int_equal(stmt_prepare(&s, d,
				      "INSERT INTO rate (\"group\", prefix, effective, \"end\","
				      " price, version, origin) VALUES ('g',?,?,?,?,?,?)"),
			 0);
	stmt_bind_text(s, 1, str_of(prefix[p]));
	stmt_bind_text(s, 6, str_of(origin[p]));
	stmt_bind_int(s, 2, from);
	if (to == FIELD_ABSENT)
		stmt_bind_null(s, 3);
	else
		stmt_bind_int(s, 3, to);
	stmt_bind_int(s, 4, price);
	stmt_bind_int(s, 5, version);
	assert_int_equal(stmt_run(s), 0);
}

/* A chain of versions for each prefix, the last one open. */
static void add_rates(struct db *d)
{
	int version = 1;

	for (int p = 0; p < PREFIXES; p++) {
		ms_t from = 900 + throw_below(50);

		for (int n = throw_below(VERSIONS + 1); n > 0; n--) {
			ms_t to = n == 1 ? FIELD_ABSENT : from + 60 + throw_below(30);

			add_rate(d, p, from, to, throw_below(3) + 1, version++);
			from = to;
		}
	}
}

/* ---- a sheet ---- */

struct case_sheet {
	struct buf text;
	struct sheet sheet;
	struct sheet_format format;
	enum sheet_mode mode;
	ms_t now, moment;
	bool has_origin; /* a column for it */
};

static int by_key(const void *va, const void *vb)
{
	const int *a = va, *b = vb;

	return (*a > *b) - (*a < *b);
}

/* Lines of different prefixes or moments; the times are put in afterwards, for files have no milliseconds. */
static void make_sheet(struct case_sheet *c, struct zone *utc)
{
	int key[LINES], n = throw_below(LINES) + 1, count = 0;

	c->format = (struct sheet_format){
		.zone = utc, .now = c->now, .moment = c->moment, .origins = &groups
	};
	c->has_origin = throw_below(2);
	for (int i = 0; i < n; i++) {
		int p = throw_below(PREFIXES);

		while (!c->has_origin && origin[p][0])
			p = throw_below(PREFIXES);
		key[i] = p * 1000 + throw_below(4) * 10;
	}
	qsort(key, (size_t)n, sizeof(*key), by_key);
	buf_printf(&c->text, "prefix,price,action%s\n", c->has_origin ? ",origin" : "");
	for (int i = 0; i < n; i++) {
		if (i && key[i] == key[i - 1])
			continue;
		key[count++] = key[i];
		buf_printf(&c->text, "%d%02d,%s,%s%s%s\n", key[i] / 1000, key[i] % 1000,
			   throw_below(4) ? "0.00000002" : "0.00000003",
			   throw_below(5) ? "" : "delete", c->has_origin ? "," : "",
			   c->has_origin ? origin[key[i] / 1000] : "");
	}
	assert_int_equal(sheet_read(&c->sheet, &c->format, buf_str(&c->text), NULL), 0);
	assert_int_equal(c->sheet.problems, 0);
	for (size_t i = 0; i < c->sheet.rows; i++) {
		struct sheet_row *r = &c->sheet.row[i];

		r->prefix = prefix[key[i] / 1000];
		r->prefix_n = (uint8_t)str_of(r->prefix).n;
		r->effective = c->moment + key[i] % 1000;
	}
}

/* ---- what it should come to ---- */

static bool is_of(const struct case_sheet *c, const struct sheet_row *r, int p)
{
	return str_eq(sheet_prefix(r), str_of(prefix[p])) &&
	       str_eq(sheet_origin(&c->sheet, r), str_of(origin[p]));
}

/* The line that speaks last of this prefix at that moment. */
static const struct sheet_row *line_at(const struct case_sheet *c, int p, ms_t at)
{
	const struct sheet_row *last = NULL;

	for (size_t i = 0; i < c->sheet.rows; i++) {
		const struct sheet_row *r = &c->sheet.row[i];

		if (is_of(c, r, p) && r->effective <= at)
			last = r;
	}
	return last;
}

static bool is_named(const struct case_sheet *c, int p)
{
	return line_at(c, p, INT64_MAX) != NULL;
}

/* Was a version to begin after the line, and not after that moment? From then on it is as it was. */
static bool begins_between(struct db *d, int p, ms_t after, ms_t at)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;

	assert_int_equal(stmt_prepare(&s, d,
				      "SELECT count(*) FROM rate WHERE prefix = ?1 AND origin = ?4"
				      " AND effective > ?2 AND effective <= ?3"),
			 0);
	stmt_bind_text(s, 1, str_of(prefix[p]));
	stmt_bind_int(s, 2, after);
	stmt_bind_int(s, 3, at);
	stmt_bind_text(s, 4, str_of(origin[p]));
	assert_int_equal(stmt_step(s), 1);
	return stmt_int(s, 0) > 0;
}

/* A delete takes what was to come after it, too. */
static bool is_cleared(const struct case_sheet *c, int p, ms_t at)
{
	bool is_any = false;

	for (size_t i = 0; i < c->sheet.rows; i++) {
		const struct sheet_row *r = &c->sheet.row[i];

		is_any |= r->is_delete && r->effective <= at && is_of(c, r, p);
	}
	return is_any;
}

static void expect(struct db *d, const struct case_sheet *c, price_table before, price_table ret)
{
	for (int p = 0; p < PREFIXES; p++) {
		for (ms_t at = c->now; at <= LAST; at++) {
			const struct sheet_row *l = line_at(c, p, at);
			bool is_over = !is_named(c, p) && c->mode == SHEET_REPLACE &&
				       at >= c->moment && (c->has_origin || !origin[p][0]);

			if (is_over || (l && l->is_delete))
				ret[p][at] = -1;
			else if (!l || (c->mode == SHEET_UPDATE && !is_cleared(c, p, at) &&
					begins_between(d, p, l->effective, at)))
				ret[p][at] = before[p][at];
			else
				ret[p][at] = l->price;
		}
	}
}

static void assert_tables(price_table a, price_table b, ms_t from, const char *what)
{
	for (int p = 0; p < PREFIXES; p++) {
		for (ms_t at = from; at <= LAST; at++) {
			if (a[p][at] != b[p][at])
				fail_msg("%s: prefix %s at %lld costs %lld, not %lld", what,
					 prefix[p], (long long)at, (long long)a[p][at],
					 (long long)b[p][at]);
		}
	}
}

/* ---- all of it ---- */

static void take(struct db *d, struct case_sheet *c)
{
	struct store_ask ask = { .delta = { STR("g"), c->mode, c->now, c->moment, false },
				 .who = STR("w"),
				 .decimal = STR("point"),
				 .dates = STR("iso") };
	CLEANUP(delta_done) struct delta p = { 0 };
	struct err err = ERR_INIT;
	int64_t id;

	assert_int_equal(delta_make(&p, d, &c->sheet, &ask.delta), 0);
	if (store_sheet(d, &c->sheet, &p, &ask, &id, &err) < 0)
		fail_msg("%s", err.message);
}

static void run(struct db *d, const char *sql)
{
	assert_int_equal(db_exec(d, sql), 0);
}

static int64_t count(struct db *d, const char *name)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	CLEANUP(buf_done) struct buf sql = BUF_INIT;

	buf_printf(&sql, "SELECT count(*) FROM %s", name);
	const char *text = buf_cstr(&sql);
	assert_true(text && stmt_prepare(&s, d, text) == 0);
	assert_int_equal(stmt_step(s), 1);
	return stmt_int(s, 0);
}

/* Taken back from a moment on that lies ahead: until then it is as it was. */
static void undo(struct db *d, ms_t now, ms_t moment, price_table with, price_table without)
{
	static price_table seen;
	struct store_undone u;

	assert_int_equal(store_undo(d, STR("g"), 0, STR("w"), moment, &u, NULL), 0);
	read_table(d, now, seen);
	for (int p = 0; p < PREFIXES; p++) {
		for (ms_t at = now; at < moment; at++)
			without[p][at] = with[p][at];
	}
	assert_tables(seen, without, now, "undone");
}

/* Some sheets one after the other; then undone, newest first, at moments between. */
static void run_round(struct db *d, struct zone *utc)
{
	static price_table state[SHEETS + 1], seen, right;
	ms_t now = NOW;

	read_table(d, now, state[0]);
	for (int i = 0; i < SHEETS; i++) {
		struct case_sheet c = { .text = BUF_INIT,
					.mode = (enum sheet_mode)throw_below(2),
					.now = now,
					.moment = now + throw_below(20) };

		read_table(d, now, state[i]);
		make_sheet(&c, utc);
		expect(d, &c, state[i], right);
		take(d, &c);
		read_table(d, now, seen);
		assert_tables(seen, right, now, c.mode == SHEET_REPLACE ? "replaced" : "updated");
		sheet_done(&c.sheet);
		buf_done(&c.text);
		now += throw_below(15) + 1;
	}
	for (int i = SHEETS; i-- > 0;) {
		ms_t moment = now + throw_below(8);

		read_table(d, now, seen);
		undo(d, now, moment, seen, state[i]);
		now = moment + throw_below(3) + 1;
	}
	assert_int_equal(count(d, "rate_ended"), 0);
	assert_int_equal(count(d, "rate_dropped"), 0);
}

static void a_sheet_comes_to_what_it_says_and_goes_without_a_trace(void **state)
{
	CLEANUP(db_close) struct db *d = NULL;
	CLEANUP(zone_free) struct zone *utc = NULL;

	(void)state;
	dice = dice_new();
	assert_int_equal(zone_create(&utc, STR("UTC")), 0);
	assert_int_equal(db_open(&d, ":memory:", DB_WRITE, 0), 0);
	assert_int_equal(migrate_switch(d, NULL), 0);
	for (int i = 0; utc && i < ROUNDS; i++) {
		run(d, "BEGIN");
		run(d, "INSERT INTO rate_group (name) VALUES ('g')");
		run(d, "INSERT INTO origin_group (name, prefixes) VALUES ('uk','44'), ('eu','49')");
		add_rates(d);
		run_round(d, utc);
		run(d, "ROLLBACK");
	}
}

/* A rate of a sheet may be gone by hand within the millisecond in which it began; what takes its place is newer than the sheet. */
static void a_number_is_not_given_twice(void **state)
{
	CLEANUP(db_close) struct db *d = NULL;
	int64_t version = 0;

	(void)state;
	assert_int_equal(db_open(&d, ":memory:", DB_WRITE, 0), 0);
	assert_int_equal(migrate_switch(d, NULL), 0);
	run(d, "INSERT INTO rate_group (name) VALUES ('g')");
	add_rate(d, 4, 1, FIELD_ABSENT, 1, 7);
	assert_int_equal(store_next_version(d, &version), 0);
	assert_int_equal(version, 8);
	run(d, "INSERT INTO rate_sheet (\"group\", at, who, mode, effective, lines, first_version, "
	       "last_version, sha256, state) VALUES ('g', 1, 'x', 'update', 1, 1, 8, 9, '', "
	       "'applied')");
	assert_int_equal(store_next_version(d, &version), 0);
	assert_int_equal(version, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_not_given_twice),
		cmocka_unit_test(a_sheet_comes_to_what_it_says_and_goes_without_a_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
