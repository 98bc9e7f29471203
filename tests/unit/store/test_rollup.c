#include "store/rollup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "oom.h"
#include "place.h"
#include "records.h"
#include "store/migrate.h"
#include "store/month.h"

/* Where the check looks for months. */
static const char *months_of(struct place *p)
{
	return place_path(p, "cdr");
}

static int make(void **state)
{
	return place_make(state) < 0 ? -1 : mkdir(months_of(*state), 0700);
}

static int clear(void **state)
{
	(void)month_remove(months_of(*state), (struct month){ 2026, 11 });
	(void)month_remove(months_of(*state), (struct month){ 2026, 12 });
	(void)rmdir(months_of(*state));
	return place_remove(state);
}

/* By the end of its call, which is what sums go by. */
static void add_call(struct db *d, ms_t start, int n, const char *account, money_t fee)
{
	const struct field *f = entities[ENTITY_CDR].field;
	struct cdr_row *r = record_make(start, n);

	r->answer = start + 1000;
	r->end = start + 61000;
	r->hold_ms = 60000;
	r->billed_s = 60;
	r->fee = fee;
	r->tax = fee / 10;
	r->cost = fee / 2;
	r->sip_code = 200;
	r->tries = 1;
	r->pdd_ms = 700;
	assert_int_equal(row_set_text(&f[CDR_ACCOUNT], r, str_of(account)), 0);
	assert_int_equal(row_set_text(&f[CDR_VENDOR_ACCOUNT], r, STR("carrier")), 0);
	assert_int_equal(row_set_text(&f[CDR_ROUTING_GATEWAY], r, STR("gate")), 0);
	(void)record_put(d, "outbox", r);
}

static struct db *open_ledger(struct place *p)
{
	struct db *d = place_open(p, "ledger.db", DB_WRITE);

	assert_int_equal(migrate_ledger(d, NULL), 0);
	return d;
}

/* Three calls of two accounts, one of which ends in the next month. */
static struct db *some_traffic(struct place *p)
{
	struct db *d = open_ledger(p);

	add_call(d, RECORDS_NOVEMBER_END - 600000, 1, "acme", 1000);
	add_call(d, RECORDS_NOVEMBER_END - 500000, 2, "bravo", 30);
	add_call(d, RECORDS_NOVEMBER_END - 1000, 3, "acme", 700);
	return d;
}

static int count_differences(void *ctx, const struct rollup_difference *d)
{
	(void)d;
	++*(int *)ctx;
	return 0;
}

/* The check looks for DIR/cdr. */
static int differences(struct place *p, int64_t *ret_records)
{
	int n = 0;

	assert_int_equal(rollup_check(p->dir, RECORDS_NOVEMBER_END, NULL, count_differences, &n,
				      ret_records),
			 0);
	return n;
}

static void a_record_is_in_the_outbox_or_in_the_sums(void **state)
{
	CLEANUP(db_close) struct db *d = some_traffic(*state);
	struct place *p = *state;

	assert_int_equal(place_ask(d, "SELECT count(*) FROM sale"), 0);
	records_move(d, months_of(p), 2);
	assert_int_equal(place_ask(d, "SELECT sum(fee) FROM sale WHERE account = 'acme'"), 1700);
	assert_int_equal(place_ask(d, "SELECT sum(answered) FROM sale"), 3);
	assert_int_equal(place_ask(d, "SELECT sum(cost) FROM purchase WHERE account = 'carrier'"),
			 865);
	assert_int_equal(place_ask(d, "SELECT count(DISTINCT slot) FROM sale"), 2);
	assert_int_equal(place_ask(d, "SELECT max(slot) FROM sale"),
			 (RECORDS_NOVEMBER_END + 60000) / ROLLUP_MS);
}

/* The copy is in the month file, the clearing never came: the next one sums it once. */
static void a_crash_in_the_move_sums_nothing_twice(void **state)
{
	CLEANUP(db_close) struct db *d = some_traffic(*state);
	struct place *p = *state;
	int64_t ids[8];
	struct month m;
	int n = month_next(d, ids, 8, &m);

	assert_int_equal(n, 3);
	assert_int_equal(month_move(d, months_of(p), m, ids, n, NULL), 0);
	records_move(d, months_of(p), 8);
	assert_int_equal(place_ask(d, "SELECT sum(calls) FROM sale"), 3);
}

static void only_what_was_moved_is_summed(void **state)
{
	CLEANUP(db_close) struct db *d = some_traffic(*state);
	struct place *p = *state;
	int64_t ids[8];
	struct month m;
	int n = month_next(d, ids, 8, &m);

	assert_int_equal(month_move(d, months_of(p), m, ids, n, NULL), 0);
	add_call(d, RECORDS_NOVEMBER_END - 550000, 9, "late", 5);
	assert_int_equal(month_clear(d, ids, n), 0);
	assert_int_equal(place_ask(d, "SELECT sum(calls) FROM sale"), 3);
	assert_int_equal(place_ask(d, "SELECT count(*) FROM outbox"), 1);
}

static void everything_can_be_summed_anew(void **state)
{
	CLEANUP(db_close) struct db *d = some_traffic(*state);
	struct place *p = *state;

	records_move(d, months_of(p), 8);
	place_run(d,
		  "INSERT INTO entry (account, at, kind, amount) VALUES ('acme', 900001, 'charge', "
		  "-7), ('acme', 900002, 'charge', -1), ('acme', 1, 'payment', 100)");
	place_run(d, "CREATE TEMP TABLE was AS SELECT * FROM sale");
	place_run(d, "UPDATE sale SET fee = fee + 1; DELETE FROM purchase");
	assert_int_equal(rollup_rebuild(d, months_of(p)), 0);
	assert_int_equal(place_ask(d,
				   "SELECT count(*) FROM (SELECT * FROM sale EXCEPT SELECT * FROM "
				   "temp.was)"),
			 0);
	assert_int_equal(place_ask(d, "SELECT sum(cost) FROM purchase"), 865);
	assert_int_equal(place_ask(d, "SELECT amount FROM turnover WHERE slot = 1"), -8);
	assert_int_equal(place_ask(d, "SELECT entries FROM turnover WHERE slot = 1"), 2);
}

/* Each agent of a record has a row of his own; a text that is no list of agents has none, and stops nothing. */
static void agents_are_summed_each_by_himself(void **state)
{
	CLEANUP(db_close) struct db *d = some_traffic(*state);
	struct place *p = *state;
	int64_t records;

	place_run(d,
		  "UPDATE outbox SET agent_income = 30, agents = '[{\"agent\":\"west\",\"prefix\":"
		  "\"880\",\"billed_s\":61,\"charge\":600,\"income\":40},{\"agent\":\"north\","
		  "\"billed_s\":0,\"charge\":610,\"income\":-10}]' WHERE account = 'acme';"
		  "UPDATE outbox SET agents = '{\"agent' WHERE account = 'bravo'");
	records_move(d, months_of(p), 8);
	assert_int_equal(place_ask(d, "SELECT count(*) FROM share"), 4);
	assert_int_equal(place_ask(d, "SELECT sum(income) FROM share WHERE account = 'west' AND "
				      "customer = 'acme' AND prefix = '880'"),
			 80);
	assert_int_equal(place_ask(d, "SELECT sum(sold) FROM share WHERE account = 'west'"), 1280);
	assert_int_equal(place_ask(d, "SELECT sum(own) FROM share WHERE account = 'north'"), 1220);
	assert_int_equal(place_ask(d, "SELECT sum(income) FROM share"), 60);
	assert_int_equal(place_ask(d, "SELECT sum(agent_income) FROM sale"), 60);
	assert_int_equal(differences(p, &records), 0);
	place_run(d, "UPDATE share SET income = income + 1 WHERE account = 'west'");
	assert_int_equal(differences(p, &records), 2);
	assert_int_equal(rollup_rebuild(d, months_of(p)), 0);
	assert_int_equal(place_ask(d, "SELECT sum(income) FROM share"), 60);
}

/* What was summed of a month that has been removed since stays. */
static void sums_outlive_their_records(void **state)
{
	CLEANUP(db_close) struct db *d = some_traffic(*state);
	struct place *p = *state;

	add_call(d, RECORDS_NOVEMBER_END + 10 * 86400000LL, 4, "acme", 11);
	records_move(d, months_of(p), 8);
	assert_int_equal(month_remove(months_of(p), (struct month){ 2026, 11 }), 0);
	assert_int_equal(rollup_rebuild(d, months_of(p)), 0);
	assert_int_equal(place_ask(d, "SELECT sum(calls) FROM sale"), 4);
}

static void a_ledger_of_an_older_program_is_adopted_once(void **state)
{
	CLEANUP(db_close) struct db *d = some_traffic(*state);
	struct place *p = *state;

	records_move(d, months_of(p), 8);
	place_run(d, "DELETE FROM sale; DELETE FROM purchase; DELETE FROM ending");
	assert_int_equal(rollup_adopt(d, months_of(p)), 0);
	assert_int_equal(place_ask(d, "SELECT sum(calls) FROM sale"), 3);
	place_run(d, "DELETE FROM sale");
	assert_int_equal(rollup_adopt(d, months_of(p)), 0);
	assert_int_equal(place_ask(d, "SELECT count(*) FROM sale"), 0);
}

static void the_check_names_what_differs(void **state)
{
	CLEANUP(db_close) struct db *d = some_traffic(*state);
	struct place *p = *state;
	int64_t records = 0;

	assert_int_equal(differences(p, &records), 0);
	place_run(d,
		  "INSERT INTO entry (account, at, kind, amount) VALUES ('acme', 5, 'charge', -7)");
	assert_int_equal(differences(p, &records), 2);
	place_run(d, "INSERT INTO turnover VALUES ('acme', 0, 'charge', 1, -7)");
	assert_int_equal(differences(p, &records), 0);
	place_run(d, "INSERT INTO sale (slot, account, gateway, phone, prefix, fee) "
		     "VALUES (0, 'acme', '', '', '', 1)");
	assert_int_equal(differences(p, &records), 1);
}

static struct place *place;

static void a_rebuild_comes_to_its_end(void)
{
	CLEANUP(db_close) struct db *d = NULL;

	if (oom_refused(db_open(&d, place_path(place, "ledger.db"), DB_WRITE, 0)))
		return;
	(void)oom_refused(rollup_rebuild(d, months_of(place)));
}

static void memory_may_run_out(void **state)
{
	CLEANUP(db_close) struct db *d = some_traffic(*state);

	place = *state;
	records_move(d, months_of(place), 8);
	oom_each(a_rebuild_comes_to_its_end);
	assert_int_equal(place_ask(d, "SELECT sum(calls) FROM sale"), 3);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, make, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_record_is_in_the_outbox_or_in_the_sums),
		TEST(a_crash_in_the_move_sums_nothing_twice),
		TEST(only_what_was_moved_is_summed),
		TEST(everything_can_be_summed_anew),
		TEST(agents_are_summed_each_by_himself),
		TEST(sums_outlive_their_records),
		TEST(a_ledger_of_an_older_program_is_adopted_once),
		TEST(the_check_names_what_differs),
		TEST(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
