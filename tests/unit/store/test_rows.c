#include "store/rows.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "model/json.h"
#include "model/sample.h"
#include "oom.h"
#include "place.h"
#include "store/migrate.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Parents before what names them. */
static const enum entity_id in_order[] = { ENTITY_RATE_GROUP,     ENTITY_ACCOUNT,
					   ENTITY_RATE,           ENTITY_TRANSFORM,
					   ENTITY_NUMBER_LIST,    ENTITY_GATEWAY_GROUP,
					   ENTITY_ROUTE_PLAN,     ENTITY_MAPPING_GATEWAY,
					   ENTITY_ROUTING_GATEWAY };

static struct db *open_switch(struct place *p)
{
	struct db *d = place_open(p, "switch.db", DB_WRITE);

	assert_int_equal(migrate_switch(d, NULL), 0);
	return d;
}

/* A row with these fields: name, value, name, value ... NULL. */
static void *make(enum entity_id id, ...)
{
	const struct entity *e = &entities[id];
	void *row = row_create(e);
	const char *name;
	va_list ap;

	va_start(ap, id);
	while (row && (name = va_arg(ap, const char *)) != NULL) {
		int i = entity_field(e, str_of(name));
		const char *value = va_arg(ap, const char *);

		if (i < 0 || row_parse(&e->field[i], row, str_of(value), NULL) < 0) {
			row_free(e, row);
			row = NULL;
			fail_msg("%s=%s", name, value);
		}
	}
	va_end(ap);
	return row;
}

static int add(struct db *d, enum entity_id id, void *row, struct err *err)
{
	int r = row ? rows_add(d, &entities[id], row, err) : -ENOMEM;

	row_free(&entities[id], row);
	return r;
}

static void add_group(struct db *d, const char *name)
{
	assert_int_equal(
		add(d, ENTITY_RATE_GROUP, make(ENTITY_RATE_GROUP, "name", name, NULL), NULL), 0);
}

static void add_account(struct db *d, const char *id)
{
	assert_int_equal(add(d, ENTITY_ACCOUNT,
			     make(ENTITY_ACCOUNT, "id", id, "limit_money", "0", NULL), NULL),
			 0);
}

/* What of a stored row is not kept. */
static const unsigned lost = FIELD_COMPUTED;

static void check_stored(struct db *d, const struct entity *e, const void *row)
{
	CLEANUP(buf_done) struct buf key = BUF_INIT;
	struct err err = ERR_INIT;
	void *back = NULL;

	row_key(e, row, &key);
	int r = rows_get(d, e, buf_str(&key), 1800000000000, &back, &err);
	if (r < 0)
		fail_msg("%s '%s': %s", e->name, buf_cstr(&key), err.message);
	assert_true(sample_is_same(e, row, back, lost));
	row_free(e, back);
}

static void every_entity_is_stored_and_read(void **state)
{
	CLEANUP(db_close) struct db *d = open_switch(*state);

	for (size_t i = 0; i < COUNT(in_order); i++) {
		const struct entity *e = &entities[in_order[i]];
		void *row = row_create(e);

		assert_non_null(row);
		assert_int_equal(sample_fill(e, row), 0);
		/* Both kinds of gateway may name one of the other: the first has none to name yet. */
		if (in_order[i] == ENTITY_MAPPING_GATEWAY)
			assert_int_equal(row_parse(&e->field[MAPPING_GATEWAY_PORTABILITY], row,
						   STR(""), NULL),
					 0);
		if (in_order[i] == ENTITY_RATE)
			((struct rate_row *)row)->end = FIELD_ABSENT;
		assert_int_equal(rows_add(d, e, row, NULL), 0);
		check_stored(d, e, row);
		row_free(e, row);
	}
}

static void payments_and_records_are_stored_and_read(void **state)
{
	static const struct {
		enum entity_id id;
		int (*migrate)(struct db *, struct err *);
		const char *file;
	} cases[] = {
		{ ENTITY_PAYMENT, migrate_ledger, "ledger.db" },
		{ ENTITY_CDR, migrate_month, "2026-11.db" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct entity *e = &entities[cases[i].id];
		CLEANUP(db_close) struct db *d = place_open(*state, cases[i].file, DB_WRITE);
		CLEANUP(stmt_free) struct stmt *s = NULL;
		CLEANUP(buf_done) struct buf sql = BUF_INIT;
		void *row = row_create(e);

		assert_int_equal(cases[i].migrate(d, NULL), 0);
		assert_true(row && sample_fill(e, row) == 0);
		assert_int_equal(rows_add(d, e, row, NULL), 0);
		buf_putz(&sql, "SELECT ");
		rows_columns(e, &sql);
		buf_printf(&sql, " FROM %s", e->table);
		assert_int_equal(stmt_prepare(&s, d, buf_cstr(&sql)), 0);
		assert_int_equal(stmt_step(s), 1);
		void *back = rows_read(e, s, 0);
		assert_true(back && sample_is_same(e, row, back, lost));
		row_free(e, back);
		row_free(e, row);
	}
}

static void what_is_absent_comes_back_absent(void **state)
{
	CLEANUP(db_close) struct db *d = place_open(*state, "2026-11.db", DB_WRITE);
	CLEANUP(stmt_free) struct stmt *s = NULL;
	CLEANUP(buf_done) struct buf sql = BUF_INIT;
	const struct entity *e = &entities[ENTITY_CDR];
	struct cdr_row *row = row_create(e);

	assert_non_null(row);
	row->id = 1;
	assert_int_equal(migrate_month(d, NULL), 0);
	assert_int_equal(rows_add(d, e, row, NULL), 0);
	buf_putz(&sql, "SELECT ");
	rows_columns(e, &sql);
	buf_putz(&sql, " FROM cdr");
	assert_int_equal(stmt_prepare(&s, d, buf_cstr(&sql)), 0);
	assert_int_equal(stmt_step(s), 1);
	void *back = rows_read(e, s, 0);
	assert_true(back && sample_is_same(e, row, back, lost));
	row_free(e, back);
	row_free(e, row);
}

static void a_row_goes_from_json_to_sql_and_back(void **state)
{
	static const char *const text =
		"{\"name\":\"acme-in\",\"account\":\"acme\",\"auth\":\"ip_port\","
		"\"address\":[\"10.0.0.1:506\"],\"password\":\"secret\",\"line_limit\":100}";
	const struct entity *e = &entities[ENTITY_MAPPING_GATEWAY];
	CLEANUP(db_close) struct db *d = open_switch(*state);
	/* No string above 14 bytes: jansson 2.14 reads past its buffer when one cannot grow. */
	CLEANUP(json_decref) json_t *in = json_loads(text, 0, NULL);
	void *row = row_create(e), *back = NULL;

	add_account(d, "acme");
	assert_true(row && in);
	assert_int_equal(row_from_json(e, row, in, NULL), 0);
	assert_int_equal(rows_add(d, e, row, NULL), 0);
	assert_int_equal(rows_get(d, e, STR("acme-in"), 0, &back, NULL), 0);
	assert_string_equal(((struct mapping_gateway_row *)back)->password, "secret");

	CLEANUP(json_decref) json_t *before = row_to_json(e, row);
	CLEANUP(json_decref) json_t *after = row_to_json(e, back);
	assert_true(before && json_equal(before, after));
	row_free(e, row);
	row_free(e, back);
}

static void what_must_be_there_is_asked_for(void **state)
{
	CLEANUP(db_close) struct db *d = open_switch(*state);
	struct err err = ERR_INIT;

	assert_int_equal(add(d, ENTITY_ACCOUNT, make(ENTITY_ACCOUNT, "id", "a", NULL), &err),
			 -EINVAL);
	assert_int_equal(err.code, ERR_MISSING_FIELD);
	assert_string_equal(err.field, "limit_money");
	assert_int_equal(place_ask(d, "SELECT count(*) FROM account"), 0);
}

static void a_key_is_taken_once(void **state)
{
	CLEANUP(db_close) struct db *d = open_switch(*state);
	struct err err = ERR_INIT;

	add_group(d, "wholesale");
	assert_int_equal(
		add(d, ENTITY_RATE_GROUP, make(ENTITY_RATE_GROUP, "name", "wholesale", NULL), &err),
		-EEXIST);
	assert_int_equal(err.code, ERR_EXISTS);
	assert_string_equal(err.field, "name");
	assert_string_equal(err.given, "wholesale");
}

static void two_versions_without_an_origin_may_not_be_the_same(void **state)
{
	CLEANUP(db_close) struct db *d = open_switch(*state);

	add_group(d, "g");
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			add(d, ENTITY_RATE,
			    make(ENTITY_RATE, "group", "g", "prefix", "880", "price", "1", NULL),
			    NULL),
			i == 0 ? 0 : -EEXIST);
}

static void what_is_named_must_exist_and_stays_while_it_is_named(void **state)
{
	CLEANUP(db_close) struct db *d = open_switch(*state);
	const struct entity *groups = &entities[ENTITY_RATE_GROUP];
	struct err err = ERR_INIT;

	assert_int_equal(
		add(d, ENTITY_ACCOUNT,
		    make(ENTITY_ACCOUNT, "id", "a", "limit_money", "0", "rate_group", "g", NULL),
		    &err),
		-ENOLINK);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_string_equal(err.field, "rate_group");
	assert_string_equal(err.given, "g");

	add_group(d, "g");
	assert_int_equal(
		add(d, ENTITY_ACCOUNT,
		    make(ENTITY_ACCOUNT, "id", "a", "limit_money", "0", "rate_group", "g", NULL),
		    NULL),
		0);
	err = ERR_INIT;
	assert_int_equal(rows_del(d, groups, STR("g"), &err), -ENOLINK);
	assert_int_equal(err.code, ERR_IN_USE);
	assert_non_null(strstr(err.message, "by account 'a'"));
	assert_int_equal(rows_del(d, &entities[ENTITY_ACCOUNT], STR("a"), NULL), 0);
	assert_int_equal(rows_del(d, groups, STR("g"), NULL), 0);
}

static void a_set_replaces_one_row_and_no_other(void **state)
{
	CLEANUP(db_close) struct db *d = open_switch(*state);
	const struct entity *e = &entities[ENTITY_ACCOUNT];
	struct account_row *a = make(ENTITY_ACCOUNT, "id", "a", "limit_money", "0", NULL);
	struct err err = ERR_INIT;

	assert_non_null(a);
	assert_int_equal(rows_set(d, e, a, &err), -ENOENT);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_int_equal(rows_add(d, e, a, NULL), 0);
	add_account(d, "b");

	a->limit_money = 700000000;
	a->cut_off = 1;
	assert_int_equal(rows_set(d, e, a, NULL), 0);
	check_stored(d, e, a);
	assert_int_equal(place_ask(d, "SELECT limit_money FROM account WHERE id = 'b'"), 0);
	row_free(e, a);
}

static void keys_that_are_none_find_nothing(void **state)
{
	static const char *const keys[] = {
		"",
		"/",
		"//",
		"g",
		"g/",
		"/880",
		"880/g",
		"g/88",
		"g/880/",
		"x'; DROP TABLE rate; --",
		"g/880' OR '1' = '1",
	};
	CLEANUP(db_close) struct db *d = open_switch(*state);
	const struct entity *e = &entities[ENTITY_RATE];

	add_group(d, "g");
	assert_int_equal(add(d, ENTITY_RATE,
			     make(ENTITY_RATE, "group", "g", "prefix", "880", "price", "1", NULL),
			     NULL),
			 0);
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct err err = ERR_INIT;
		void *row = NULL;

		assert_int_equal(rows_get(d, e, str_of(keys[i]), 0, &row, &err), -ENOENT);
		assert_int_equal(err.code, ERR_NOT_FOUND);
		assert_int_equal(rows_del(d, e, str_of(keys[i]), NULL), -ENOENT);
	}
	assert_int_equal(place_ask(d, "SELECT count(*) FROM rate"), 1);
}

static void a_group_may_have_a_slash_in_its_name(void **state)
{
	CLEANUP(db_close) struct db *d = open_switch(*state);
	void *row = NULL;

	add_group(d, "a/b");
	assert_int_equal(add(d, ENTITY_RATE,
			     make(ENTITY_RATE, "group", "a/b", "prefix", "880", "price", "1", NULL),
			     NULL),
			 0);
	assert_int_equal(rows_get(d, &entities[ENTITY_RATE], STR("a/b/880"), 0, &row, NULL), 0);
	row_free(&entities[ENTITY_RATE], row);
}

/* Prices of 880: 1 from ever to 1000, 2 from 1000 to 3000, 3 from 4000; and with an origin 9. */
static void add_versions(struct db *d)
{
	static const struct {
		ms_t effective, end;
		money_t price;
		const char *origin;
	} versions[] = {
		{ 4000, FIELD_ABSENT, 3, NULL },
		{ 0, 1000, 1, NULL },
		{ 1000, 3000, 2, NULL },
		{ 0, FIELD_ABSENT, 9, "bd" },
	};

	add_group(d, "g");
	for (size_t i = 0; i < COUNT(versions); i++) {
		struct rate_row *r =
			make(ENTITY_RATE, "group", "g", "prefix", "880", "price", "0", NULL);

		assert_non_null(r);
		r->effective = versions[i].effective;
		r->end = versions[i].end;
		r->price = versions[i].price;
		assert_int_equal(row_set_text(&entities[ENTITY_RATE].field[RATE_ORIGIN], r,
					      str_of(versions[i].origin)),
				 0);
		assert_int_equal(add(d, ENTITY_RATE, r, NULL), 0);
	}
}

static void the_version_in_force_is_shown_else_the_next(void **state)
{
	static const struct {
		ms_t now;
		money_t price;
	} cases[] = { { 0, 1 },    { 999, 1 },  { 1000, 2 }, { 2999, 2 },
		      { 3000, 3 }, { 3999, 3 }, { 4000, 3 }, { 999999, 3 } };
	CLEANUP(db_close) struct db *d = open_switch(*state);
	const struct entity *e = &entities[ENTITY_RATE];

	add_versions(d);
	for (size_t i = 0; i < COUNT(cases); i++) {
		void *row = NULL;

		assert_int_equal(rows_get(d, e, STR("g/880"), cases[i].now, &row, NULL), 0);
		assert_int_equal(((struct rate_row *)row)->price, cases[i].price);
		row_free(e, row);
	}

	place_run(d, "UPDATE rate SET \"end\" = 5000 WHERE price IN (3, 9)");
	void *row = NULL;
	assert_int_equal(rows_get(d, e, STR("g/880"), 5000, &row, NULL), -ENOENT);
	assert_int_equal(rows_del(d, e, STR("g/880"), NULL), 0);
	assert_int_equal(place_ask(d, "SELECT count(*) FROM rate"), 0);
}

struct seen {
	struct buf keys;
	int stop_at; /* this many rows, then answer 42 */
	int count;
	const struct entity *entity;
};

static int see(void *ctx, const void *row)
{
	struct seen *s = ctx;

	if (s->count++ > 0)
		buf_putc(&s->keys, ' ');
	row_key(s->entity, row, &s->keys);
	return s->stop_at && s->count == s->stop_at ? 42 : 0;
}

static void check_each(struct db *d, enum entity_id id, const char *after, int64_t limit,
		       const char *keys)
{
	struct seen s = { .keys = BUF_INIT, .entity = &entities[id] };

	assert_int_equal(rows_each(d, s.entity, str_of(after), limit, see, &s), 0);
	assert_string_equal(buf_cstr(&s.keys), keys);
	buf_done(&s.keys);
}

static void rows_come_in_the_order_of_their_keys(void **state)
{
	static const char *const names[] = { "c", "a", "e", "b", "d" };
	CLEANUP(db_close) struct db *d = open_switch(*state);
	struct seen s = { .keys = BUF_INIT, .entity = &entities[ENTITY_RATE_GROUP], .stop_at = 2 };

	check_each(d, ENTITY_RATE_GROUP, "", 0, "");
	for (size_t i = 0; i < COUNT(names); i++)
		add_group(d, names[i]);
	check_each(d, ENTITY_RATE_GROUP, "", 0, "a b c d e");
	check_each(d, ENTITY_RATE_GROUP, "", 2, "a b");
	check_each(d, ENTITY_RATE_GROUP, "b", 2, "c d");
	check_each(d, ENTITY_RATE_GROUP, "bb", 0, "c d e");
	check_each(d, ENTITY_RATE_GROUP, "e", 2, "");

	assert_int_equal(rows_each(d, s.entity, STR(""), 0, see, &s), 42);
	assert_int_equal(s.count, 2);
	buf_done(&s.keys);
}

static void a_page_does_not_part_the_versions_of_a_rate(void **state)
{
	CLEANUP(db_close) struct db *d = open_switch(*state);

	add_versions(d);
	add_group(d, "h");
	for (int i = 0; i < 3; i++) {
		static const char *const prefixes[] = { "44", "881", "1" };

		assert_int_equal(add(d, ENTITY_RATE,
				     make(ENTITY_RATE, "group", i == 2 ? "h" : "g", "prefix",
					  prefixes[i], "price", "1", NULL),
				     NULL),
				 0);
	}
	check_each(d, ENTITY_RATE, "", 1, "g/44");
	check_each(d, ENTITY_RATE, "g/44", 1, "g/880 g/880 g/880 g/880/bd");
	check_each(d, ENTITY_RATE, "g/880", 1, "g/881");
	check_each(d, ENTITY_RATE, "g/880", 0, "g/881 h/1");
}

static void a_new_number_is_given_to_what_numbers_itself(void **state)
{
	CLEANUP(db_close) struct db *d = place_open(*state, "ledger.db", DB_WRITE);
	const struct entity *e = &entities[ENTITY_PAYMENT];

	assert_int_equal(migrate_ledger(d, NULL), 0);
	for (int64_t n = 1; n <= 3; n++) {
		struct payment_row *p = make(ENTITY_PAYMENT, "account", "a", "amount", "5", NULL);
		void *back = NULL;

		assert_non_null(p);
		assert_int_equal(rows_add(d, e, p, NULL), 0);
		assert_int_equal(p->id, n);
		assert_int_equal(rows_get(d, e,
					  n == 1   ? STR("1")
					  : n == 2 ? STR("2")
						   : STR("3"),
					  0, &back, NULL),
				 0);
		assert_true(sample_is_same(e, p, back, lost));
		row_free(e, back);
		row_free(e, p);
	}
}

static void a_field_is_asked_for_a_value(void **state)
{
	CLEANUP(db_close) struct db *d = open_switch(*state);
	const struct entity *e = &entities[ENTITY_RATE_GROUP];

	add_group(d, "g");
	assert_int_equal(rows_has(d, e, RATE_GROUP_NAME, STR("g")), 1);
	assert_int_equal(rows_has(d, e, RATE_GROUP_NAME, STR("h")), 0);
	assert_int_equal(rows_has(d, e, RATE_GROUP_CURRENCY, STR("USD")), 1);
	place_run(d, "DROP TABLE rate_group");
	assert_int_equal(rows_has(d, e, RATE_GROUP_NAME, STR("g")), -EINVAL);
}

static void a_locked_store_is_said_to_be(void **state)
{
	CLEANUP(db_close) struct db *d = open_switch(*state);
	CLEANUP(db_close) struct db *other = place_open(*state, "switch.db", DB_WRITE);
	struct err err = ERR_INIT;

	assert_int_equal(db_begin(other), 0);
	assert_int_equal(
		add(d, ENTITY_RATE_GROUP, make(ENTITY_RATE_GROUP, "name", "g", NULL), &err),
		-EBUSY);
	assert_int_equal(err.code, ERR_STORE);
	assert_int_equal(db_commit(other), 0);
	add_group(d, "g");
}

static struct db *short_of_memory;

static void a_row_is_added_changed_read_and_removed(void)
{
	struct db *d = short_of_memory;
	const struct entity *e = &entities[ENTITY_RATE_GROUP];
	void *row = row_create(e), *back = NULL;
	int r = row ? row_parse(&e->field[RATE_GROUP_NAME], row, STR("g"), NULL) : -ENOMEM;

	place_run(d, "DELETE FROM rate_group");
	if (r == 0)
		r = rows_add(d, e, row, NULL);
	if (r == 0)
		r = rows_set(d, e, row, NULL);
	if (r == 0)
		r = rows_get(d, e, STR("g"), 0, &back, NULL);
	if (r == 0)
		r = rows_del(d, e, STR("g"), NULL);
	(void)oom_refused(r);
	row_free(e, back);
	row_free(e, row);
}

static void memory_may_run_out(void **state)
{
	CLEANUP(db_close) struct db *d = open_switch(*state);

	short_of_memory = d;
	oom_each(a_row_is_added_changed_read_and_removed);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, place_make, place_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_entity_is_stored_and_read),
		TEST(payments_and_records_are_stored_and_read),
		TEST(what_is_absent_comes_back_absent),
		TEST(a_row_goes_from_json_to_sql_and_back),
		TEST(what_must_be_there_is_asked_for),
		TEST(a_key_is_taken_once),
		TEST(two_versions_without_an_origin_may_not_be_the_same),
		TEST(what_is_named_must_exist_and_stays_while_it_is_named),
		TEST(a_set_replaces_one_row_and_no_other),
		TEST(keys_that_are_none_find_nothing),
		TEST(a_group_may_have_a_slash_in_its_name),
		TEST(the_version_in_force_is_shown_else_the_next),
		TEST(rows_come_in_the_order_of_their_keys),
		TEST(a_page_does_not_part_the_versions_of_a_rate),
		TEST(a_new_number_is_given_to_what_numbers_itself),
		TEST(a_field_is_asked_for_a_value),
		TEST(a_locked_store_is_said_to_be),
		TEST(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
