#include "store/cdr_query.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "oom.h"
#include "place.h"
#include "records.h"
#include "store/cdr_plan.h"
#include "store/migrate.h"
#include "store/month.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct entity *const cdr = &entities[ENTITY_CDR];

static struct db *open_ledger(struct place *p)
{
	struct db *d = place_open(p, "ledger.db", DB_WRITE);

	assert_int_equal(migrate_ledger(d, NULL), 0);
	return d;
}

/* The callees of what came, in their order. */
struct seen {
	struct buf callees;
	int64_t last;
	int count;
	int stop_at;
	void (*meanwhile)(struct seen *s); /* after each row */
	struct db *writer;
	const char *dir;
};

static int see(void *ctx, const void *row)
{
	struct seen *s = ctx;
	const struct cdr_row *r = row;

	assert_true(s->count == 0 || r->id < s->last);
	s->last = r->id;
	buf_printf(&s->callees, "%s%s", s->count++ > 0 ? " " : "", r->callee);
	if (s->meanwhile)
		s->meanwhile(s);
	return s->stop_at && s->count == s->stop_at ? 42 : 0;
}

static void check_query(struct db *d, const char *dir, const struct cdr_filter *f,
			const char *callees)
{
	struct seen s = { .callees = BUF_INIT };

	assert_int_equal(cdr_query(d, dir, f, see, &s), 0);
	assert_string_equal(buf_cstr(&s.callees), callees);
	buf_done(&s.callees);
}

/* Records 1 and 2 in November's file, 3 and 4 in December's, 5 and 0 (which began first) in the
 * outbox, and 4 still there too. */
static struct db *scattered(struct place *p)
{
	struct db *d = open_ledger(p);

	for (int n = 1; n <= 4; n++)
		record_add(d, RECORDS_NOVEMBER_END + 500 * (n - 1), n);
	records_move(d, p->dir, 2);
	record_add(d, RECORDS_NOVEMBER_END + 500 * 3, 4);
	record_add(d, RECORDS_NOVEMBER_END + 500 * 4, 5);
	record_add(d, RECORDS_NOVEMBER_END - 500, 0);
	return d;
}

static void records_come_newest_first_wherever_they_are(void **state)
{
	struct place *p = *state;
	CLEANUP(db_close) struct db *d = scattered(p);
	struct cdr_filter f = CDR_FILTER_INIT;

	check_query(d, p->dir, &f, "5 4 3 2 1 0");
	f.limit = 3;
	check_query(d, p->dir, &f, "5 4 3");
}

static void without_files_there_is_the_outbox(void **state)
{
	struct place *p = *state;
	CLEANUP(db_close) struct db *d = open_ledger(p);
	struct cdr_filter f = CDR_FILTER_INIT;

	check_query(d, place_path(p, "no"), &f, "");
	record_add(d, RECORDS_NOVEMBER_END, 1);
	check_query(d, place_path(p, "no"), &f, "1");
	records_move(d, p->dir, 1);
	check_query(d, p->dir, &f, "1");
}

static void times_are_from_and_before(void **state)
{
	static const struct {
		ms_t from, to; /* after the end of November; FIELD_ABSENT = open */
		const char *callees;
	} cases[] = {
		{ 500, 1500, "3 2" },
		{ 501, 1501, "4 3" },
		{ 1000, FIELD_ABSENT, "5 4 3" },
		{ FIELD_ABSENT, 1000, "2 1 0" },
		{ FIELD_ABSENT, -500, "" },
		{ 2001, FIELD_ABSENT, "" },
		{ 1000, 1000, "" },
		{ 1500, 500, "" },
	};
	struct place *p = *state;
	CLEANUP(db_close) struct db *d = scattered(p);

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cdr_filter f = CDR_FILTER_INIT;

		if (cases[i].from != FIELD_ABSENT)
			f.from = RECORDS_NOVEMBER_END + cases[i].from;
		if (cases[i].to != FIELD_ABSENT)
			f.to = RECORDS_NOVEMBER_END + cases[i].to;
		check_query(d, p->dir, &f, cases[i].callees);
	}
}

static void extreme_times_are_no_mistake(void **state)
{
	struct place *p = *state;
	CLEANUP(db_close) struct db *d = scattered(p);
	struct cdr_filter f = CDR_FILTER_INIT;

	f.from = -5;
	f.to = INT64_MAX;
	check_query(d, p->dir, &f, "5 4 3 2 1 0");
	f.from = INT64_MAX;
	check_query(d, p->dir, &f, "");
}

static void pages_follow_one_another_without_gap(void **state)
{
	static const char *const pages[] = { "5 4", "3 2", "1 0", "" };
	struct place *p = *state;
	CLEANUP(db_close) struct db *d = scattered(p);
	struct cdr_filter f = CDR_FILTER_INIT;

	f.limit = 2;
	for (size_t i = 0; i < COUNT(pages); i++) {
		struct seen s = { .callees = BUF_INIT };

		assert_int_equal(cdr_query(d, p->dir, &f, see, &s), 0);
		assert_string_equal(buf_cstr(&s.callees), pages[i]);
		buf_done(&s.callees);
		f.after = s.last;
	}
}

static void set(struct cdr_row *r, int field, const char *text)
{
	assert_int_equal(row_parse(&cdr->field[field], r, str_of(text), NULL), 0);
}

static void records_are_chosen_by_what_they_say(void **state)
{
	struct place *p = *state;
	CLEANUP(db_close) struct db *d = open_ledger(p);

	for (int n = 0; n < 8; n++) {
		struct cdr_row *r = record_make(RECORDS_NOVEMBER_END + 500 * n, n);

		set(r, CDR_ACCOUNT, n % 2 ? "acme" : "o'neil");
		set(r, CDR_REASON, n < 4 ? "NoRate" : "CallerHangup");
		if (n == 5)
			set(r, CDR_CALL_ID, "abc@192.0.2.1");
		if (n == 7)
			set(r, CDR_HIDDEN, "true");
		record_put(d, "outbox", r);
		if (n == 3)
			records_move(d, p->dir, 10);
	}

	struct cdr_filter f = CDR_FILTER_INIT;
	f.account = STR("acme");
	check_query(d, p->dir, &f, "5 3 1");
	f.has_hidden = true;
	check_query(d, p->dir, &f, "7 5 3 1");
	f.reason = STR("NoRate");
	check_query(d, p->dir, &f, "3 1");
	f = CDR_FILTER_INIT;
	f.account = STR("o'neil");
	check_query(d, p->dir, &f, "6 4 2 0");
	f.callee = STR("2");
	check_query(d, p->dir, &f, "2");
	f.callee = STR("2' OR '1' = '1");
	check_query(d, p->dir, &f, "");
	f = CDR_FILTER_INIT;
	f.call_id = STR("abc@192.0.2.1");
	check_query(d, p->dir, &f, "5");
}

static void a_caller_may_stop_the_walk(void **state)
{
	struct place *p = *state;
	CLEANUP(db_close) struct db *d = scattered(p);
	struct seen s = { .callees = BUF_INIT, .stop_at = 4 };
	struct cdr_filter f = CDR_FILTER_INIT;

	assert_int_equal(cdr_query(d, p->dir, &f, see, &s), 42);
	assert_string_equal(buf_cstr(&s.callees), "5 4 3 2");
	buf_done(&s.callees);
	assert_int_equal(db_begin(d), 0); /* no statement is left running */
	db_rollback(d);
}

static void move_all(struct seen *s)
{
	records_move(s->writer, s->dir, 1);
}

static void what_moves_meanwhile_is_seen_once(void **state)
{
	struct place *p = *state;
	CLEANUP(db_close) struct db *writer = scattered(p);
	CLEANUP(db_close) struct db *reader = place_open(p, "ledger.db", DB_READ);
	struct seen s = {
		.callees = BUF_INIT, .meanwhile = move_all, .writer = writer, .dir = p->dir
	};
	struct cdr_filter f = CDR_FILTER_INIT;

	assert_int_equal(cdr_query(reader, p->dir, &f, see, &s), 0);
	assert_string_equal(buf_cstr(&s.callees), "5 4 3 2 1 0");
	buf_done(&s.callees);
	assert_int_equal(place_ask(writer, "SELECT count(*) FROM outbox"), 0);
}

static void remove_november(struct seen *s)
{
	(void)month_remove(s->dir, (struct month){ 2026, 11 });
}

static void a_month_that_is_retired_meanwhile_is_passed_over(void **state)
{
	struct place *p = *state;
	CLEANUP(db_close) struct db *d = scattered(p);
	struct seen s = { .callees = BUF_INIT, .meanwhile = remove_november, .dir = p->dir };
	struct cdr_filter f = CDR_FILTER_INIT;

	assert_int_equal(cdr_query(d, p->dir, &f, see, &s), 0);
	assert_string_equal(buf_cstr(&s.callees), "5 4 3 0");
	buf_done(&s.callees);
}

static int see_tries(void *ctx, const void *row)
{
	const struct cdr_row *r = row;

	*(bool *)ctx = r->tries == 0 && r->decisions == NULL;
	return 0;
}

static void a_file_of_an_older_program_has_defaults_for_what_it_lacks(void **state)
{
	struct place *p = *state;
	CLEANUP(db_close) struct db *d = open_ledger(p);
	struct cdr_filter f = CDR_FILTER_INIT;
	bool is_default = false;

	record_add(d, RECORDS_NOVEMBER_END, 1);
	records_move(d, p->dir, 1);
	CLEANUP(db_close) struct db *m = place_open(p, "2026-11.db", DB_WRITE);
	place_run(m, "ALTER TABLE cdr DROP COLUMN tries; ALTER TABLE cdr DROP COLUMN decisions");
	assert_int_equal(cdr_query(d, p->dir, &f, see_tries, &is_default), 0);
	assert_true(is_default);
}

static void a_file_that_is_just_being_made_is_empty(void **state)
{
	struct place *p = *state;
	CLEANUP(db_close) struct db *d = open_ledger(p);
	CLEANUP(db_close) struct db *made = place_open(p, "2026-11.db", DB_WRITE);
	struct cdr_filter f = CDR_FILTER_INIT;

	assert_non_null(made);
	record_add(d, RECORDS_NOVEMBER_END, 1);
	check_query(d, p->dir, &f, "1");
}

static void a_damaged_file_is_an_error_not_a_gap(void **state)
{
	struct place *p = *state;
	CLEANUP(db_close) struct db *d = scattered(p);
	struct seen s = { .callees = BUF_INIT };
	struct cdr_filter f = CDR_FILTER_INIT;

	assert_int_equal(truncate(place_path(p, "2026-11.db"), 5000), 0);
	assert_true(cdr_query(d, p->dir, &f, see, &s) < 0);
	buf_done(&s.callees);
}

static void one_record_is_found_by_its_id(void **state)
{
	struct place *p = *state;
	CLEANUP(db_close) struct db *d = scattered(p);
	struct cdr_row *hidden = record_make(RECORDS_NOVEMBER_END, 9);
	struct cdr_row *r = NULL;

	hidden->hidden = 1;
	record_put(d, "outbox", hidden);
	for (int n = 1; n <= 5; n++) {
		int64_t id = cdr_id_at(RECORDS_NOVEMBER_END + 500 * (n - 1)) + n;

		assert_int_equal(cdr_find(d, p->dir, id, &r), 0);
		assert_int_equal(r->id, id);
		r = row_free(cdr, r);
	}
	assert_int_equal(cdr_find(d, p->dir, cdr_id_at(RECORDS_NOVEMBER_END) + 9, &r), 0);
	r = row_free(cdr, r);
	assert_int_equal(cdr_find(d, p->dir, 1, &r), -ENOENT);
	assert_int_equal(cdr_find(d, p->dir, -1, &r), -ENOENT);
	assert_int_equal(cdr_find(d, p->dir, INT64_MAX, &r), -ENOENT);
}

/* A plan as it is made for this filter in an empty file: it must name an index, or a range of ids; never a walk through all. */
static void check_plan(struct db *d, const struct cdr_filter *f, const char *index)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	CLEANUP(buf_done) struct buf sql = BUF_INIT;
	struct cdr_plan p;
	bool is_led = false;
	int r;

	assert_int_equal(plan_init(&p, f, 1, INT64_MAX), 0);
	assert_int_equal(plan_choose(&p, d, "cdr"), 0);
	buf_putz(&sql, "EXPLAIN QUERY PLAN SELECT *");
	plan_put_sql(&p, "cdr", &sql);
	assert_int_equal(stmt_prepare(&s, d, buf_cstr(&sql)), 0);
	while ((r = stmt_step(s)) == 1) {
		is_led |= str_find(stmt_text(s, 3), str_of(index)) > 0;
		assert_true(str_find(stmt_text(s, 3), STR("SCAN cdr")) < 0);
	}
	assert_int_equal(r, 0);
	assert_true(is_led);
	plan_done(&p);
}

static void no_question_reads_a_whole_file(void **state)
{
	CLEANUP(db_close) struct db *d = place_open(*state, "2026-11.db", DB_WRITE);
	struct {
		struct cdr_filter f;
		const char *index;
	} cases[8];

	for (size_t i = 0; i < COUNT(cases); i++)
		cases[i].f = CDR_FILTER_INIT;
	cases[0].f.account = cases[1].f.callee = cases[2].f.call_id = STR("a");
	cases[3].f.caller = cases[4].f.callee = STR("880*");
	cases[5].f.sip_code = 486;
	cases[6].f.routing_gateway = STR("a");
	cases[7].f.min_ms = 5;
	cases[0].index = "USING INDEX cdr_account";
	cases[1].index = "USING INDEX cdr_callee";
	cases[2].index = "USING INDEX cdr_call_id";
	cases[3].index = "INDEX cdr_caller";
	cases[4].index = "INDEX cdr_callee";
	cases[5].index = "USING INDEX cdr_sip_code";
	cases[6].index = "USING INDEX cdr_routing_gateway";
	cases[7].index = "USING INTEGER PRIMARY KEY";
	assert_int_equal(migrate_month(d, NULL), 0);
	for (size_t i = 0; i < COUNT(cases); i++)
		check_plan(d, &cases[i].f, cases[i].index);
}

/* 1 to 9 of an account in a file of 20,000 of another: the rare value leads, whatever else is asked. */
static void the_rarest_leads(void **state)
{
	CLEANUP(db_close) struct db *d = place_open(*state, "2026-11.db", DB_WRITE);
	struct cdr_filter f = CDR_FILTER_INIT;

	assert_int_equal(migrate_month(d, NULL), 0);
	place_run(d,
		  "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
		  " INSERT INTO cdr (id, account, callee, reason) SELECT i,"
		  " CASE i % 2500 WHEN 0 THEN 'few' ELSE 'many' END, '8801' || i, 'NoRate' FROM n");
	f.account = STR("few");
	f.reason = STR("NoRate");
	f.callee = STR("8801*");
	check_plan(d, &f, "USING INDEX cdr_account");
	f.account = STR("many");
	f.callee = STR("88012345");
	check_plan(d, &f, "USING INDEX cdr_callee");
	f.callee = STR("");
	f.sip_code = 404;
	check_plan(d, &f, "USING INDEX cdr_sip_code");
}

static void numbers_are_asked_for_by_their_beginning(void **state)
{
	struct place *p = *state;
	CLEANUP(db_close) struct db *d = scattered(p);
	struct cdr_filter f = CDR_FILTER_INIT;
	struct cdr_row *longer = record_make(RECORDS_NOVEMBER_END + 700, 12);

	record_put(d, "outbox", longer);
	f.callee = STR("1*");
	check_query(d, p->dir, &f, "12 1");
	records_move(d, p->dir, 64);
	check_query(d, p->dir, &f, "12 1");
	f.limit = 1;
	check_query(d, p->dir, &f, "12");
	f.callee = STR("13*");
	check_query(d, p->dir, &f, "");
	f.limit = 0;
	f.callee = STR("*");
	check_query(d, p->dir, &f, "5 4 3 12 2 1 0");
	f.answered = CDR_ANSWERED;
	check_query(d, p->dir, &f, "");
	f.answered = CDR_UNANSWERED;
	f.below_ms = 1;
	check_query(d, p->dir, &f, "5 4 3 12 2 1 0");
	f.min_ms = 1;
	f.below_ms = FIELD_ABSENT;
	check_query(d, p->dir, &f, "");
}

static void a_question_can_be_stopped(void **state)
{
	struct place *p = *state;
	CLEANUP(db_close) struct db *d = place_open(p, "ledger.db", DB_WRITE);
	struct cdr_filter f = CDR_FILTER_INIT;
	atomic_bool stop = true;
	struct seen s = { .callees = BUF_INIT };

	assert_int_equal(migrate_ledger(d, NULL), 0);
	place_run(d,
		  "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)"
		  " INSERT INTO outbox (id, callee) SELECT i, i FROM n");
	f.stop = &stop;
	f.account = STR("nobody");
	assert_int_equal(cdr_query(d, p->dir, &f, see, &s), -ECANCELED);
	atomic_store(&stop, false);
	assert_int_equal(cdr_query(d, p->dir, &f, see, &s), 0);
}

static void records_are_fetched_wherever_they_are(void **state)
{
	struct place *p = *state;
	CLEANUP(db_close) struct db *d = scattered(p);
	struct seen s = { .callees = BUF_INIT };
	int64_t ids[8];

	for (int n = 1; n <= 6; n++)
		ids[6 - n] = cdr_id_at(RECORDS_NOVEMBER_END + 500 * (n - 1)) + n;
	assert_int_equal(cdr_fetch(d, p->dir, ids, 6, see, &s), 0);
	assert_string_equal(buf_cstr(&s.callees), "5 4 3 2 1");
	s.stop_at = 5;
	buf_clear(&s.callees);
	assert_int_equal(cdr_fetch(d, place_path(p, "no"), ids + 1, 0, see, &s), 0);
	buf_done(&s.callees);
}

static struct place *place;
static struct db *ledger;

static int ignore(void *ctx, const void *row)
{
	(void)ctx;
	(void)row;
	return 0;
}

static void records_are_read(void)
{
	struct cdr_filter f = CDR_FILTER_INIT;

	int64_t id = cdr_id_at(RECORDS_NOVEMBER_END) + 1;

	f.callee = STR("1*");
	f.account = STR("a");
	if (oom_refused(cdr_query(ledger, place->dir, &f, ignore, NULL)))
		return;
	(void)oom_refused(cdr_fetch(ledger, place->dir, &id, 1, ignore, NULL));
}

static void memory_may_run_out(void **state)
{
	CLEANUP(db_close) struct db *d = scattered(*state);

	place = *state;
	ledger = d;
	oom_each(records_are_read);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, place_make, place_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(records_come_newest_first_wherever_they_are),
		TEST(without_files_there_is_the_outbox),
		TEST(times_are_from_and_before),
		TEST(extreme_times_are_no_mistake),
		TEST(pages_follow_one_another_without_gap),
		TEST(records_are_chosen_by_what_they_say),
		TEST(a_caller_may_stop_the_walk),
		TEST(what_moves_meanwhile_is_seen_once),
		TEST(a_month_that_is_retired_meanwhile_is_passed_over),
		TEST(a_file_of_an_older_program_has_defaults_for_what_it_lacks),
		TEST(a_file_that_is_just_being_made_is_empty),
		TEST(a_damaged_file_is_an_error_not_a_gap),
		TEST(one_record_is_found_by_its_id),
		TEST(no_question_reads_a_whole_file),
		TEST(the_rarest_leads),
		TEST(numbers_are_asked_for_by_their_beginning),
		TEST(a_question_can_be_stopped),
		TEST(records_are_fetched_wherever_they_are),
		TEST(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
