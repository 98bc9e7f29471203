#include "store/migrate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/entity.h"
#include "oom.h"
#include "place.h"
#include "store/rows.h"
#include "store/schema.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

typedef int migrate_fn(struct db *d, struct err *err);

static const struct {
	const char *name;
	migrate_fn *migrate;
	const char *table; /* one with an entity's fields */
} files[] = {
	{ "switch.db", migrate_switch, "account" },
	{ "ledger.db", migrate_ledger, "outbox" },
	{ "2026-11.db", migrate_month, "cdr" },
};

/* --- numbered steps --- */

static void steps_run_once_and_in_order(void **state)
{
	static const char *const steps[] = {
		"CREATE TABLE t (n INTEGER) STRICT; INSERT INTO t VALUES (1)",
		"UPDATE t SET n = n * 10",
		"ALTER TABLE t RENAME COLUMN n TO m; UPDATE t SET m = m + 5",
	};
	CLEANUP(db_close) struct db *d = place_open(*state, "a.db", DB_WRITE);

	assert_int_equal(migrate(d, steps, 1, NULL), 0);
	assert_int_equal(place_ask(d, "PRAGMA user_version"), 1);
	assert_int_equal(migrate(d, steps, 3, NULL), 0);
	assert_int_equal(migrate(d, steps, 3, NULL), 0);
	assert_int_equal(place_ask(d, "PRAGMA user_version"), 3);
	assert_int_equal(place_ask(d, "SELECT m FROM t"), 15);
}

static void a_step_that_fails_leaves_the_one_before(void **state)
{
	static const char *const steps[] = {
		"CREATE TABLE t (n INTEGER) STRICT",
		"INSERT INTO t VALUES (1); INSERT INTO t VALUES ('x')",
		"DROP TABLE t",
	};
	CLEANUP(db_close) struct db *d = place_open(*state, "a.db", DB_WRITE);
	struct err err = ERR_INIT;

	assert_int_equal(migrate(d, steps, 3, &err), -EDOM);
	assert_int_equal(err.code, ERR_STORE);
	assert_int_equal(place_ask(d, "PRAGMA user_version"), 1);
	assert_int_equal(place_ask(d, "SELECT count(*) FROM t"), 0);
	place_run(d, "INSERT INTO t VALUES (1)");
}

static void a_newer_number_is_refused(void **state)
{
	static const char *const steps[] = { "CREATE TABLE t (n INTEGER) STRICT" };
	CLEANUP(db_close) struct db *d = place_open(*state, "a.db", DB_WRITE);
	struct err err = ERR_INIT;

	place_run(d, "PRAGMA user_version = 2");
	assert_int_equal(migrate(d, steps, 1, &err), -EPROTO);
	assert_int_equal(err.code, ERR_STORE);
	assert_non_null(strstr(err.message, "newer"));
	assert_int_equal(place_ask(d, "SELECT count(*) FROM sqlite_schema"), 0);
}

/* --- our files --- */

static void a_new_file_has_strict_tables_and_a_number(void **state)
{
	for (size_t i = 0; i < COUNT(files); i++) {
		CLEANUP(db_close) struct db *d = place_open(*state, files[i].name, DB_WRITE);

		assert_int_equal(files[i].migrate(d, NULL), 0);
		assert_true(place_ask(d, "PRAGMA user_version") > 0);
		assert_true(place_ask(d, "SELECT count(*) FROM pragma_table_list WHERE strict"
					 " AND schema = 'main'") > 0);
		assert_int_equal(place_ask(d, "SELECT count(*) FROM pragma_table_list WHERE NOT"
					      " strict AND schema = 'main' AND name NOT LIKE"
					      " 'sqlite_%'"),
				 0);
	}
}

static void a_second_start_changes_nothing(void **state)
{
	for (size_t i = 0; i < COUNT(files); i++) {
		CLEANUP(db_close) struct db *d = place_open(*state, files[i].name, DB_WRITE);

		assert_int_equal(files[i].migrate(d, NULL), 0);
		int64_t before = place_ask(d, "PRAGMA schema_version");
		assert_int_equal(files[i].migrate(d, NULL), 0);
		assert_int_equal(place_ask(d, "PRAGMA schema_version"), before);
	}
}

static void every_stored_field_is_a_column(void **state)
{
	for (size_t i = 0; i < COUNT(files); i++) {
		CLEANUP(db_close) struct db *d = place_open(*state, files[i].name, DB_WRITE);

		assert_int_equal(files[i].migrate(d, NULL), 0);
		for (int k = 0; k < ENTITY_COUNT; k++) {
			const struct entity *e = &entities[k];
			CLEANUP(buf_done) struct buf names = BUF_INIT;

			assert_int_equal(schema_columns(d, e->table, &names), 0);
			for (int n = 0; names.n > 0 && n < e->fields; n++)
				assert_int_equal(
					schema_has(buf_str(&names), str_of(e->field[n].name)),
					rows_is_stored(&e->field[n]));
		}
	}
}

static void a_field_that_an_older_program_did_not_know_is_added(void **state)
{
	CLEANUP(db_close) struct db *d = place_open(*state, "switch.db", DB_WRITE);
	void *row = NULL;

	assert_int_equal(migrate_switch(d, NULL), 0);
	place_run(d, "INSERT INTO account (id, limit_money) VALUES ('a', 5);"
		     "ALTER TABLE account DROP COLUMN unlock_at;"
		     "ALTER TABLE account DROP COLUMN anti_overdraft;"
		     "ALTER TABLE account DROP COLUMN memo;"
		     "ALTER TABLE account DROP COLUMN agent");
	assert_int_equal(migrate_switch(d, NULL), 0);

	assert_int_equal(rows_get(d, &entities[ENTITY_ACCOUNT], STR("a"), 0, &row, NULL), 0);
	struct account_row *a = row;
	assert_int_equal(a->limit_money, 5);
	assert_int_equal(a->unlock_at, ACCOUNT_UNLOCK_AT_ABOVE_LIMIT);
	assert_int_equal(a->anti_overdraft, 1);
	assert_null(a->memo);
	assert_int_equal(rows_set(d, &entities[ENTITY_ACCOUNT], a, NULL), 0);
	row_free(&entities[ENTITY_ACCOUNT], row);
	assert_int_equal(db_exec(d, "UPDATE account SET agent = 'nobody'"), -ENOLINK);
}

static void what_is_missing_beside_the_fields_is_added_too(void **state)
{
	CLEANUP(db_close) struct db *d = place_open(*state, "ledger.db", DB_WRITE);

	assert_int_equal(migrate_ledger(d, NULL), 0);
	place_run(d, "ALTER TABLE call DROP COLUMN heard_mono; DROP INDEX payment_key;"
		     "DROP TABLE orphan");
	assert_int_equal(migrate_ledger(d, NULL), 0);
	place_run(d, "SELECT heard_mono FROM call; SELECT * FROM orphan");
	assert_int_equal(place_ask(d, "SELECT count(*) FROM sqlite_schema"
				      " WHERE name = 'payment_key'"),
			 1);
}

/* What was booked since an update is not lost when that is gone back from. */
static void a_newer_file_is_used_if_this_program_survives_it(void **state)
{
	for (size_t i = 0; i < COUNT(files); i++) {
		CLEANUP(db_close) struct db *d = place_open(*state, files[i].name, DB_WRITE);
		CLEANUP(buf_done) struct buf sql = BUF_INIT;

		assert_int_equal(files[i].migrate(d, NULL), 0);
		buf_printf(&sql,
			   "ALTER TABLE %s ADD COLUMN from_the_future INTEGER NOT NULL DEFAULT 7;"
			   "PRAGMA user_version = 99; PRAGMA application_id = 0x54416301",
			   files[i].table);
		place_run(d, buf_cstr(&sql));
		assert_int_equal(files[i].migrate(d, NULL), 0);
		assert_int_equal(place_ask(d, "PRAGMA user_version"), 99);
		assert_int_equal(place_ask(d, "PRAGMA application_id"), 0x54416301);
		place_run(d, "PRAGMA application_id = 0x54416363");
		assert_int_equal(files[i].migrate(d, NULL), -EPROTO);
	}
}

static void a_column_that_nobody_declared_is_a_newer_programs(void **state)
{
	for (size_t i = 0; i < COUNT(files); i++) {
		CLEANUP(db_close) struct db *d = place_open(*state, files[i].name, DB_WRITE);
		CLEANUP(buf_done) struct buf sql = BUF_INIT;
		struct err err = ERR_INIT;

		assert_int_equal(files[i].migrate(d, NULL), 0);
		buf_printf(&sql,
			   "PRAGMA foreign_keys = off; DROP TABLE %s;"
			   "CREATE TABLE %s (from_the_future TEXT NOT NULL) STRICT",
			   files[i].table, files[i].table);
		place_run(d, buf_cstr(&sql));
		assert_int_equal(files[i].migrate(d, &err), -EPROTO);
		assert_string_equal(err.given, "from_the_future");
		assert_non_null(strstr(err.message, "newer"));
	}
}

static void a_newer_file_is_refused(void **state)
{
	for (size_t i = 0; i < COUNT(files); i++) {
		CLEANUP(db_close) struct db *d = place_open(*state, files[i].name, DB_WRITE);
		struct err err = ERR_INIT;

		assert_int_equal(files[i].migrate(d, NULL), 0);
		place_run(d, "PRAGMA user_version = 1000");
		assert_int_equal(files[i].migrate(d, &err), -EPROTO);
		assert_non_null(strstr(err.message, "1000"));
		assert_int_equal(place_ask(d, "PRAGMA user_version"), 1000);
	}
}

static void another_programs_database_is_left_alone(void **state)
{
	CLEANUP(db_close) struct db *d = place_open(*state, "switch.db", DB_WRITE);
	struct err err = ERR_INIT;

	place_run(d, "CREATE TABLE recipes (name TEXT)");
	assert_int_equal(migrate_switch(d, &err), -EPROTO);
	assert_non_null(strstr(err.message, "another program"));
	assert_int_equal(place_ask(d, "SELECT count(*) FROM sqlite_schema"), 1);
}

static void a_locked_file_is_said_to_be(void **state)
{
	CLEANUP(db_close) struct db *d = place_open(*state, "switch.db", DB_WRITE);
	CLEANUP(db_close) struct db *other = place_open(*state, "switch.db", DB_WRITE);
	struct err err = ERR_INIT;

	assert_int_equal(db_begin(other), 0);
	assert_int_equal(migrate_switch(d, &err), -EBUSY);
	assert_int_equal(err.code, ERR_STORE);
}

static void money_is_guarded_by_the_file_itself(void **state)
{
	static const struct {
		const char *sql;
		int error;
	} cases[] = {
		{ "INSERT INTO purse (account, balance, floor) VALUES ('a', 10, -5)", 0 },
		{ "UPDATE purse SET balance = -5", 0 },
		{ "UPDATE purse SET balance = -6", -EDOM },
		{ "UPDATE purse SET balance = 1.5", -EDOM },
		{ "UPDATE purse SET floor = NULL, balance = -6", 0 },
		{ "INSERT INTO purse (account) VALUES (NULL)", -EDOM },
		{ "INSERT INTO entry (account, at, kind, amount) VALUES ('a', 1, 'gift', 1)",
		  -EDOM },
		{ "INSERT INTO entry (account, at, kind, amount) VALUES ('a', 1, 'cost', 1)", 0 },
		{ "INSERT INTO payment (account, at, amount, request_key) VALUES ('a', 1, 1, 'k')",
		  0 },
		{ "INSERT INTO payment (account, at, amount, request_key) VALUES ('b', 1, 1, 'k')",
		  -EEXIST },
		{ "INSERT INTO heartbeat (id, mono, wall) VALUES (2, 1, 1)", -EDOM },
	};
	CLEANUP(db_close) struct db *d = place_open(*state, "ledger.db", DB_WRITE);

	assert_int_equal(migrate_ledger(d, NULL), 0);
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(db_exec(d, cases[i].sql), cases[i].error);
}

static void the_tables_are_made(void)
{
	CLEANUP(db_close) struct db *d = NULL;

	if (oom_refused(db_open(&d, ":memory:", DB_WRITE, 0)))
		return;
	if (oom_refused(migrate_month(d, NULL)))
		return;
	place_run(d, "SELECT * FROM cdr");
}

/* The ledger as the programs before agents made it: its entries are kept, and one of income is taken. */
static void an_older_ledger_takes_income(void **state)
{
	CLEANUP(db_close) struct db *d = place_open(*state, "ledger.db", DB_WRITE);

	assert_int_equal(migrate_ledger(d, NULL), 0);
	place_run(d,
		  "DROP TABLE entry; DROP TABLE share; ALTER TABLE purse DROP COLUMN income;"
		  "CREATE TABLE entry (id INTEGER PRIMARY KEY, account TEXT NOT NULL, at INTEGER "
		  "NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('payment', 'charge', 'cost')),"
		  " amount INTEGER NOT NULL, payment INTEGER, cdr INTEGER) STRICT;"
		  "CREATE INDEX entry_cdr ON entry (cdr);"
		  "INSERT INTO entry VALUES (7, 'a', 1000, 'payment', 5, 3, NULL),"
		  " (9, 'a', 2000, 'charge', -2, NULL, 77);"
		  "INSERT INTO purse (account, balance) VALUES ('a', 3);"
		  "PRAGMA user_version = 1");
	assert_int_equal(db_exec(d, "INSERT INTO entry (account, at, kind, amount) VALUES ('b', 1, "
				    "'income', 1)"),
			 -EDOM);

	assert_int_equal(migrate_ledger(d, NULL), 0);
	assert_int_equal(place_ask(d, "PRAGMA user_version"), 2);
	assert_int_equal(place_ask(d, "SELECT sum(id * 100 + amount) FROM entry"), 1603);
	assert_int_equal(place_ask(d, "SELECT payment FROM entry WHERE id = 7"), 3);
	assert_int_equal(place_ask(d, "SELECT amount FROM entry WHERE cdr = 77"), -2);
	assert_int_equal(place_ask(d, "SELECT balance - income FROM purse"), 3);
	place_run(d, "INSERT INTO entry (account, at, kind, amount) VALUES ('b', 1, 'income', 1)");
	assert_int_equal(db_exec(d, "INSERT INTO entry (account, at, kind, amount) VALUES"
				    " ('b', 1, 'gift', 1)"),
			 -EDOM);
	assert_int_equal(place_ask(d, "SELECT count(*) FROM sqlite_schema WHERE name IN"
				      " ('entry_cdr', 'share')"),
			 2);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(the_tables_are_made);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, place_make, place_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(steps_run_once_and_in_order),
		TEST(a_step_that_fails_leaves_the_one_before),
		TEST(a_newer_number_is_refused),
		TEST(a_new_file_has_strict_tables_and_a_number),
		TEST(a_second_start_changes_nothing),
		TEST(every_stored_field_is_a_column),
		TEST(a_field_that_an_older_program_did_not_know_is_added),
		TEST(what_is_missing_beside_the_fields_is_added_too),
		TEST(a_newer_file_is_used_if_this_program_survives_it),
		TEST(a_column_that_nobody_declared_is_a_newer_programs),
		TEST(a_newer_file_is_refused),
		TEST(another_programs_database_is_left_alone),
		TEST(a_locked_file_is_said_to_be),
		TEST(money_is_guarded_by_the_file_itself),
		TEST(an_older_ledger_takes_income),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
