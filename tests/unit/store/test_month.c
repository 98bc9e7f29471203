#include "store/month.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "oom.h"
#include "place.h"
#include "records.h"
#include "store/migrate.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct db *open_ledger(struct place *p)
{
	struct db *d = place_open(p, "ledger.db", DB_WRITE);

	assert_int_equal(migrate_ledger(d, NULL), 0);
	return d;
}

static int64_t count(struct place *p, const char *name)
{
	CLEANUP(db_close) struct db *d = place_open(p, name, DB_READ);

	return place_ask(d, "SELECT count(*) FROM cdr");
}

static void touch(struct place *p, const char *name)
{
	int fd = open(place_path(p, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	(void)close(fd);
}

static void an_id_names_its_month_and_order(void **state)
{
	struct month november = month_of(cdr_id_at(RECORDS_NOVEMBER_END + 999));
	struct month december = month_of(cdr_id_at(RECORDS_NOVEMBER_END + 1000));

	(void)state;
	assert_int_equal(november.year, 2026);
	assert_int_equal(november.month, 11);
	assert_int_equal(december.month, 12);
	assert_true(month_cmp(november, december) < 0);
	assert_true(month_cmp((struct month){ 2027, 1 }, december) > 0);
	assert_int_equal(month_cmp(december, december), 0);
	assert_int_equal(cdr_id_at(1), 1 << CDR_ID_SHIFT);
	assert_int_equal(cdr_id_at(-5), 0);
	assert_int_equal(cdr_id_at(INT64_MAX), INT64_MAX);
}

static void months_are_listed_newest_first_and_nothing_else_is(void **state)
{
	static const char *const names[] = {
		"2026-11.db",  "2027-01.db", "2026-12.db", "2026-12.db-wal", "2026-12.db-shm",
		"2026-13.db",  "2026-00.db", "26-12.db",   "2026-1.db",      "2026-12.dbx",
		"x2026-12.db", "2026_12.db", "ledger.db",  "+026-12.db",
	};
	struct place *p = *state;
	CLEANUP(free) struct month *list = NULL;
	size_t n = 99;

	for (size_t i = 0; i < COUNT(names); i++)
		touch(p, names[i]);
	assert_int_equal(month_list(p->dir, &list, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(list[0].year, 2027);
	assert_int_equal(list[1].month, 12);
	assert_int_equal(list[2].month, 11);
}

static void a_folder_that_is_not_there_has_no_months(void **state)
{
	struct month *list = NULL;
	size_t n = 99;

	assert_int_equal(month_list(place_path(*state, "no"), &list, &n), 0);
	assert_int_equal(n, 0);
	assert_null(list);
}

static void records_move_to_the_file_of_their_month(void **state)
{
	struct place *p = *state;
	CLEANUP(db_close) struct db *d = open_ledger(p);
	int64_t ids[10];
	struct month m;

	assert_int_equal(month_next(d, ids, 10, &m), 0);
	for (int n = 0; n < 5; n++)
		record_add(d, RECORDS_NOVEMBER_END + 500 * n, n);

	/* Never more than asked for, never of two months. */
	assert_int_equal(month_next(d, ids, 1, &m), 1);
	assert_int_equal(month_next(d, ids, 10, &m), 2);
	assert_int_equal(m.month, 11);
	assert_int_equal(month_move(d, p->dir, m, ids, 2, NULL), 0);
	assert_int_equal(place_ask(d, "SELECT count(*) FROM outbox"), 5);
	assert_int_equal(month_clear(d, ids, 2), 0);
	assert_int_equal(place_ask(d, "SELECT count(*) FROM outbox"), 3);

	assert_int_equal(month_next(d, ids, 10, &m), 3);
	assert_int_equal(m.month, 12);
	assert_int_equal(month_move(d, p->dir, m, ids, 3, NULL), 0);
	assert_int_equal(count(p, "2026-11.db"), 2);
	assert_int_equal(count(p, "2026-12.db"), 3);
}

static void a_move_that_a_crash_cut_short_is_repeated(void **state)
{
	struct place *p = *state;
	CLEANUP(db_close) struct db *d = open_ledger(p);
	int64_t ids[10];
	struct month m;

	record_add(d, RECORDS_NOVEMBER_END, 1);
	record_add(d, RECORDS_NOVEMBER_END, 2);
	assert_int_equal(month_next(d, ids, 1, &m), 1);
	assert_int_equal(month_move(d, p->dir, m, ids, 1, NULL), 0);

	/* Not cleared: after the restart the same ones come again. */
	assert_int_equal(month_next(d, ids, 10, &m), 2);
	assert_int_equal(month_move(d, p->dir, m, ids, 2, NULL), 0);
	assert_int_equal(month_clear(d, ids, 2), 0);
	assert_int_equal(count(p, "2026-11.db"), 2);
	assert_int_equal(month_next(d, ids, 10, &m), 0);
}

static void a_clearing_takes_only_what_was_moved(void **state)
{
	struct place *p = *state;
	CLEANUP(db_close) struct db *d = open_ledger(p);
	int64_t ids[10];
	struct month m;

	record_add(d, RECORDS_NOVEMBER_END, 5);
	assert_int_equal(month_next(d, ids, 10, &m), 1);
	assert_int_equal(month_move(d, p->dir, m, ids, 1, NULL), 0);
	/* A long call that began earlier ends now. */
	int64_t late = record_add(d, RECORDS_NOVEMBER_END - 3600000, 1);
	assert_int_equal(month_clear(d, ids, 1), 0);
	assert_int_equal(place_ask(d, "SELECT id FROM outbox"), late);
}

static void a_file_of_an_older_program_is_brought_up_first(void **state)
{
	struct place *p = *state;
	CLEANUP(db_close) struct db *d = open_ledger(p);

	record_add(d, RECORDS_NOVEMBER_END, 1);
	records_move(d, p->dir, 10);
	CLEANUP(db_close) struct db *m = place_open(p, "2026-11.db", DB_WRITE);
	place_run(m, "ALTER TABLE cdr DROP COLUMN decisions; ALTER TABLE cdr DROP COLUMN tries");
	m = db_close(m);

	record_add(d, RECORDS_NOVEMBER_END, 2);
	records_move(d, p->dir, 10);
	assert_int_equal(count(p, "2026-11.db"), 2);
}

static void a_file_of_a_newer_program_is_not_touched(void **state)
{
	struct place *p = *state;
	CLEANUP(db_close) struct db *d = open_ledger(p);
	struct err err = ERR_INIT;
	int64_t ids[10];
	struct month month;

	record_add(d, RECORDS_NOVEMBER_END, 1);
	records_move(d, p->dir, 10);
	CLEANUP(db_close) struct db *m = place_open(p, "2026-11.db", DB_WRITE);
	place_run(m, "ALTER TABLE cdr DROP COLUMN tries; PRAGMA user_version = 99");
	m = db_close(m);

	record_add(d, RECORDS_NOVEMBER_END, 2);
	assert_int_equal(month_next(d, ids, 10, &month), 1);
	assert_int_equal(month_move(d, p->dir, month, ids, 1, &err), -EPROTO);
	assert_true(err_is_set(&err));
	assert_int_equal(place_ask(d, "SELECT count(*) FROM outbox"), 1);
	place_run(d, "SELECT 1"); /* and nothing is left attached or open */
	assert_int_equal(db_begin(d), 0);
	db_rollback(d);
}

static void a_full_month_file_leaves_the_outbox_as_it_was(void **state)
{
	struct place *p = *state;
	CLEANUP(db_close) struct db *d = open_ledger(p);
	int64_t ids[10];
	struct month m;

	record_add(d, RECORDS_NOVEMBER_END, 1);
	assert_int_equal(month_next(d, ids, 10, &m), 1);
	assert_int_equal(month_move(d, place_path(p, "no"), m, ids, 1, NULL), -ENOENT);

	CLEANUP(db_close) struct db *other = place_open(p, "2026-11.db", DB_WRITE);
	assert_int_equal(migrate_month(other, NULL), 0);
	assert_int_equal(db_begin(other), 0);
	assert_int_equal(month_move(d, p->dir, m, ids, 1, NULL), -EBUSY);
	assert_int_equal(db_commit(other), 0);
	assert_int_equal(month_move(d, p->dir, m, ids, 1, NULL), 0);
	assert_int_equal(place_ask(d, "SELECT count(*) FROM outbox"), 1);
}

static void a_month_is_removed_with_all_that_belongs_to_it(void **state)
{
	struct place *p = *state;
	struct month m = { 2026, 11 };
	CLEANUP(free) struct month *list = NULL;
	size_t n = 0;

	touch(p, "2026-11.db");
	touch(p, "2026-11.db-wal");
	touch(p, "2026-11.db-shm");
	touch(p, "2026-12.db");
	assert_int_equal(month_remove(p->dir, m), 0);
	assert_int_equal(access(place_path(p, "2026-11.db-wal"), F_OK), -1);
	assert_int_equal(access(place_path(p, "2026-11.db-shm"), F_OK), -1);
	assert_int_equal(month_list(p->dir, &list, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(month_remove(p->dir, m), -ENOENT);
}

static struct place *place;

static void a_record_moves(void)
{
	CLEANUP(db_close) struct db *d = NULL;
	CLEANUP(free) struct month *list = NULL;
	size_t n;
	int64_t id;
	struct month m;

	if (oom_refused(db_open(&d, place_path(place, "ledger.db"), DB_WRITE, 0)))
		return;
	if (oom_refused(month_next(d, &id, 1, &m)))
		return;
	/* a move that fails leaves the record where it is, to be moved later */
	if (month_move(d, place->dir, m, &id, 1, NULL) < 0) {
		assert_true(oom_hit());
		return;
	}
	(void)oom_refused(month_list(place->dir, &list, &n));
}

static void memory_may_run_out(void **state)
{
	CLEANUP(db_close) struct db *d = open_ledger(*state);

	place = *state;
	record_add(d, RECORDS_NOVEMBER_END, 1);
	oom_each(a_record_moves);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, place_make, place_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_names_its_month_and_order),
		TEST(months_are_listed_newest_first_and_nothing_else_is),
		TEST(a_folder_that_is_not_there_has_no_months),
		TEST(records_move_to_the_file_of_their_month),
		TEST(a_move_that_a_crash_cut_short_is_repeated),
		TEST(a_clearing_takes_only_what_was_moved),
		TEST(a_file_of_an_older_program_is_brought_up_first),
		TEST(a_file_of_a_newer_program_is_not_touched),
		TEST(a_full_month_file_leaves_the_outbox_as_it_was),
		TEST(a_month_is_removed_with_all_that_belongs_to_it),
		TEST(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
