#include "store/db.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "oom.h"
#include "place.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void a_file_is_made_for_its_owner_alone(void **state)
{
	struct place *p = *state;
	CLEANUP(db_close) struct db *d = place_open(p, "a.db", DB_WRITE);
	struct stat st;

	place_run(d, "CREATE TABLE t (n INTEGER) STRICT");
	assert_int_equal(stat(place_path(p, "a.db"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(place_path(p, "a.db-wal"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_reader_makes_no_file_and_changes_nothing(void **state)
{
	struct place *p = *state;
	struct db *none = NULL;

	assert_int_equal(db_open(&none, place_path(p, "a.db"), DB_READ, 0), -ENOENT);
	assert_int_equal(db_open(&none, place_path(p, "no/a.db"), DB_WRITE, 0), -ENOENT);
	assert_null(none);

	CLEANUP(db_close) struct db *writer = place_open(p, "a.db", DB_WRITE);
	place_run(writer, "CREATE TABLE t (n INTEGER) STRICT");
	CLEANUP(db_close) struct db *reader = place_open(p, "a.db", DB_READ);
	assert_int_equal(db_exec(reader, "INSERT INTO t VALUES (1)"), -EROFS);
	assert_int_equal(place_ask(reader, "SELECT count(*) FROM t"), 0);
}

static void a_connection_is_safe_and_durable(void **state)
{
	static const struct {
		const char *pragma;
		int64_t value;
	} cases[] = {
		{ "PRAGMA synchronous", 2 },
		{ "PRAGMA foreign_keys", 1 },
		{ "PRAGMA trusted_schema", 0 },
		{ "PRAGMA cell_size_check", 1 },
		{ "SELECT journal_mode = 'wal' FROM pragma_journal_mode", 1 },
	};
	CLEANUP(db_close) struct db *d = place_open(*state, "a.db", DB_WRITE);

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(place_ask(d, cases[i].pragma), cases[i].value);

	place_run(d, "CREATE TABLE t (n INTEGER) STRICT; PRAGMA writable_schema = ON");
	assert_int_equal(db_exec(d, "UPDATE sqlite_schema SET sql = ''"), -EINVAL);
	assert_int_equal(db_exec(d, "SELECT load_extension('x')"), -EINVAL);
	assert_int_equal(db_exec(d, "SELECT \"no column\""), -EINVAL);
}

static void each_kind_of_refusal_has_its_own_error(void **state)
{
	static const struct {
		const char *sql;
		int error;
	} cases[] = {
		{ "INSERT INTO t VALUES (1, 5, 'x', NULL)", -EEXIST },
		{ "INSERT INTO t VALUES (2, 5, 'a', NULL)", -EEXIST },
		{ "INSERT INTO t VALUES (2, -1, 'x', NULL)", -EDOM },
		{ "INSERT INTO t VALUES (2, 5, NULL, NULL)", -EDOM },
		{ "INSERT INTO t VALUES (2, 'five', 'x', NULL)", -EDOM },
		{ "INSERT INTO t VALUES (2, 5, 'x', 9)", -ENOLINK },
		{ "INSERT INTO t VALUES (2, 5, 'x', 1)", 0 },
		{ "DELETE FROM t WHERE id = 1", -ENOLINK },
		{ "INSERT INTO nowhere VALUES (1)", -EINVAL },
		{ "SELEC 1", -EINVAL },
	};
	CLEANUP(db_close) struct db *d = place_open(*state, "a.db", DB_WRITE);

	place_run(d, "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER CHECK (n > 0),"
		     " name TEXT NOT NULL UNIQUE, up INTEGER REFERENCES t (id)) STRICT;"
		     "INSERT INTO t VALUES (1, 5, 'a', NULL)");
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(db_exec(d, cases[i].sql), cases[i].error);
		if (cases[i].error)
			assert_true(db_error(d)[0] != '\0');
	}
}

static void a_locked_database_is_busy(void **state)
{
	CLEANUP(db_close) struct db *a = place_open(*state, "a.db", DB_WRITE);
	CLEANUP(db_close) struct db *b = place_open(*state, "a.db", DB_WRITE);

	place_run(a, "CREATE TABLE t (n INTEGER) STRICT");
	assert_int_equal(db_begin(a), 0);
	assert_int_equal(db_begin(b), -EBUSY);
	assert_int_equal(db_exec(b, "INSERT INTO t VALUES (1)"), -EBUSY);
	assert_int_equal(place_ask(b, "SELECT count(*) FROM t"), 0);
	assert_int_equal(db_commit(a), 0);
	assert_int_equal(db_exec(b, "INSERT INTO t VALUES (1)"), 0);
}

static void a_full_disk_is_said_and_nothing_is_lost(void **state)
{
	CLEANUP(db_close) struct db *d = place_open(*state, "a.db", DB_WRITE);
	int r = 0;

	place_run(d, "CREATE TABLE t (s TEXT) STRICT; INSERT INTO t VALUES ('kept');"
		     "PRAGMA max_page_count = 8");
	assert_int_equal(db_begin(d), 0);
	for (int i = 0; r == 0 && i < 100; i++)
		r = db_exec(d, "INSERT INTO t VALUES (printf('%.4000c', 'x'))");
	assert_int_equal(r, -ENOSPC);
	db_rollback(d);
	assert_int_equal(place_ask(d, "SELECT count(*) FROM t"), 1);

	place_run(d, "PRAGMA max_page_count = 1000");
	assert_int_equal(db_exec(d, "INSERT INTO t VALUES (printf('%.40000c', 'x'))"), 0);
}

static void what_is_no_database_is_unclean(void **state)
{
	struct place *p = *state;
	FILE *f = fopen(place_path(p, "a.db"), "w");
	struct db *d = NULL;

	assert_non_null(f);
	for (int i = 0; i < 1000; i++)
		assert_true(fputs("This is no database.\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(db_open(&d, place_path(p, "a.db"), DB_WRITE, 0), -EUCLEAN);
	assert_null(d);
}

static void values_come_back_as_they_went(void **state)
{
	static const int64_t numbers[] = { 0, 1, -1, INT64_MAX, INT64_MIN };
	static const struct str texts[] = {
		{ "", 0 }, { "a", 1 }, { "a\0b", 3 }, { "\xff\x1b", 2 }, { "\xe4\xb8\xad", 3 },
	};
	CLEANUP(db_close) struct db *d = place_open(*state, "a.db", DB_WRITE);
	CLEANUP(stmt_free) struct stmt *s = NULL;

	assert_int_equal(stmt_prepare(&s, d, "SELECT ?1, ?2, ?3, ?4"), 0);
	for (size_t i = 0; i < COUNT(numbers); i++) {
		stmt_bind_int(s, 1, numbers[i]);
		stmt_bind_text(s, 2, texts[i]);
		stmt_bind_null(s, 3);
		stmt_bind_text(s, 4, str_of(NULL));
		assert_int_equal(stmt_step(s), 1);
		assert_int_equal(stmt_int(s, 0), numbers[i]);
		assert_true(str_eq(stmt_text(s, 1), texts[i]));
		assert_false(stmt_is_null(s, 1));
		assert_true(stmt_is_null(s, 2) && stmt_is_null(s, 3));
		assert_null(stmt_text(s, 3).p);
		assert_int_equal(stmt_step(s), 0);
		stmt_reset(s);
	}
}

static void a_bind_that_fails_is_said_by_the_step(void **state)
{
	CLEANUP(db_close) struct db *d = place_open(*state, "a.db", DB_WRITE);
	CLEANUP(stmt_free) struct stmt *s = NULL;

	place_run(d, "CREATE TABLE t (n INTEGER) STRICT");
	assert_int_equal(stmt_prepare(&s, d, "INSERT INTO t VALUES (?1)"), 0);
	stmt_bind_int(s, 2, 5);
	assert_true(stmt_run(s) < 0);
	stmt_bind_int(s, 1, 5);
	assert_int_equal(stmt_run(s), 0);
	assert_int_equal(db_changes(d), 1);
	assert_int_equal(db_last_id(d), 1);
}

static void what_is_rolled_back_has_not_been(void **state)
{
	CLEANUP(db_close) struct db *d = place_open(*state, "a.db", DB_WRITE);

	place_run(d, "CREATE TABLE t (n INTEGER) STRICT");
	db_rollback(d);
	assert_int_equal(db_begin(d), 0);
	place_run(d, "INSERT INTO t VALUES (1)");
	db_rollback(d);
	assert_int_equal(place_ask(d, "SELECT count(*) FROM t"), 0);
	assert_int_equal(db_begin(d), 0);
	place_run(d, "INSERT INTO t VALUES (1)");
	assert_int_equal(db_commit(d), 0);
	assert_int_equal(place_ask(d, "SELECT count(*) FROM t"), 1);
}

static void an_attached_file_is_as_durable(void **state)
{
	struct place *p = *state;
	CLEANUP(db_close) struct db *d = place_open(p, "a.db", DB_WRITE);

	assert_int_equal(db_attach(d, place_path(p, "o'b.db"), "other"), -ENOENT);
	(void)db_close(place_open(p, "o'b.db", DB_WRITE));
	assert_int_equal(db_attach(d, place_path(p, "o'b.db"), "other"), 0);
	place_run(d, "CREATE TABLE other.t (n INTEGER) STRICT; INSERT INTO other.t VALUES (7)");
	assert_int_equal(place_ask(d, "PRAGMA other.synchronous"), 2);
	assert_int_equal(place_ask(d, "SELECT journal_mode = 'wal' FROM"
				      " pragma_journal_mode('other')"),
			 1);
	assert_int_equal(db_detach(d, "other"), 0);
	assert_true(db_detach(d, "other") < 0);
	assert_int_equal(db_exec(d, "SELECT * FROM other.t"), -EINVAL);

	CLEANUP(db_close) struct db *o = place_open(p, "o'b.db", DB_READ);
	assert_int_equal(place_ask(o, "SELECT n FROM t"), 7);
}

static void a_database_is_opened_and_asked(void)
{
	CLEANUP(db_close) struct db *d = NULL;
	CLEANUP(stmt_free) struct stmt *s = NULL;

	if (oom_refused(db_open(&d, ":memory:", DB_WRITE, 0)))
		return;
	if (oom_refused(db_attach(d, ":memory:", "other")))
		return;
	if (oom_refused(stmt_prepare(&s, d, "SELECT 1")))
		return;
	assert_int_equal(stmt_step(s), 1);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_database_is_opened_and_asked);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, place_make, place_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_made_for_its_owner_alone),
		TEST(a_reader_makes_no_file_and_changes_nothing),
		TEST(a_connection_is_safe_and_durable),
		TEST(each_kind_of_refusal_has_its_own_error),
		TEST(a_locked_database_is_busy),
		TEST(a_full_disk_is_said_and_nothing_is_lost),
		TEST(what_is_no_database_is_unclean),
		TEST(values_come_back_as_they_went),
		TEST(a_bind_that_fails_is_said_by_the_step),
		TEST(what_is_rolled_back_has_not_been),
		TEST(an_attached_file_is_as_durable),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
