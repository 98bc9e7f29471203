#include "model/entity.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/sample.h"
#include "oom.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct field *field_of(enum entity_id id, const char *name)
{
	const struct entity *e = &entities[id];
	int i = entity_field(e, str_of(name));

	assert_true(i >= 0);
	return &e->field[i];
}

/* A number followed by n times c. */
static char *repeated(char c, size_t n)
{
	char *s = malloc(n + 1);

	assert_non_null(s);
	memset(s, c, n);
	s[n] = '\0';
	return s;
}

static void an_entity_is_found_by_its_name_and_a_field_by_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < ENTITY_COUNT; i++) {
		const struct entity *e = &entities[i];

		assert_ptr_equal(entity_find(str_of(e->name)), e);
		for (int k = 0; k < e->fields; k++)
			assert_int_equal(entity_field(e, str_of(e->field[k].name)), k);
	}
	assert_null(entity_find(STR("accoun")));
	assert_null(entity_find(STR("")));
	assert_int_equal(entity_field(&entities[ENTITY_ACCOUNT], STR("id2")), -1);
	assert_int_equal(entity_field(&entities[ENTITY_ACCOUNT], STR("limit_money")),
			 ACCOUNT_LIMIT_MONEY);
}

static void the_struct_and_the_table_speak_of_the_same_places(void **state)
{
	struct account_row *a = row_create(&entities[ENTITY_ACCOUNT]);

	(void)state;
	assert_non_null(a);
	assert_int_equal(row_parse(field_of(ENTITY_ACCOUNT, "limit_money"), a, STR("10.5"), NULL),
			 0);
	assert_int_equal(row_parse(field_of(ENTITY_ACCOUNT, "kind"), a, STR("clearing"), NULL), 0);
	assert_int_equal(row_parse(field_of(ENTITY_ACCOUNT, "id"), a, STR("acme"), NULL), 0);
	assert_int_equal(a->limit_money, 1050000000);
	assert_int_equal(a->kind, ACCOUNT_KIND_CLEARING);
	assert_string_equal(a->id, "acme");
	row_free(&entities[ENTITY_ACCOUNT], a);
}

static void a_new_row_has_its_defaults_and_nothing_else(void **state)
{
	(void)state;
	for (int i = 0; i < ENTITY_COUNT; i++) {
		const struct entity *e = &entities[i];
		void *row = row_create(e);

		assert_non_null(row);
		for (int k = 0; k < e->fields; k++)
			assert_int_equal(row_is_absent(&e->field[k], row),
					 e->field[k].default_text == NULL);
		row_free(e, row);
	}

	struct rate_row *r = row_create(&entities[ENTITY_RATE]);
	assert_non_null(r);
	assert_int_equal(r->unit, 60);
	assert_int_equal(r->effective, 0);
	assert_int_equal(r->end, FIELD_ABSENT);
	assert_null(r->prefix);
	row_free(&entities[ENTITY_RATE], r);
}

static void what_is_accepted_is_printed_in_one_form(void **state)
{
	static const struct {
		enum entity_id entity;
		const char *field;
		const char *given;
		const char *printed;
	} cases[] = {
		{ ENTITY_ACCOUNT, "line_limit", "0", "0" },
		{ ENTITY_ACCOUNT, "line_limit", "007", "7" },
		{ ENTITY_ACCOUNT, "line_limit", "1000000", "1000000" },
		{ ENTITY_ACCOUNT, "limit_money", "90000000000", "90000000000" },
		{ ENTITY_ACCOUNT, "limit_money", "0.10000000", "0.1" },
		{ ENTITY_ACCOUNT, "cut_off", "On", "true" },
		{ ENTITY_ACCOUNT, "cut_off", "no", "false" },
		{ ENTITY_ACCOUNT, "billing", "PostPaid", "postpaid" },
		{ ENTITY_ACCOUNT, "valid_until", "2026-12-01T01:00:00+01:00",
		  "2026-12-01T00:00:00.000Z" },
		{ ENTITY_ACCOUNT, "valid_until", "2026-12-01", "2026-12-01T00:00:00.000Z" },
		{ ENTITY_ACCOUNT, "name", " two  blanks ", " two  blanks " },
		{ ENTITY_PAYMENT, "amount", "-0.00000001", "-0.00000001" },
		{ ENTITY_RATE, "prefix", "880*#", "880*#" },
		{ ENTITY_MAPPING_GATEWAY, "tech_prefix", "12#, 34# ,*5", "12#,34#,*5" },
		{ ENTITY_MAPPING_GATEWAY, "address", "192.0.2.0/24 ,2001:db8::1",
		  "192.0.2.0/24,2001:db8::1" },
		{ ENTITY_CDR, "id", "FF", "00000000000000ff" },
		{ ENTITY_CDR, "id", "7fffffffffffffff", "7fffffffffffffff" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct entity *e = &entities[cases[i].entity];
		const struct field *f = field_of(cases[i].entity, cases[i].field);
		CLEANUP(buf_done) struct buf b = BUF_INIT;
		struct err err = ERR_INIT;
		void *row = row_create(e);

		assert_non_null(row);
		assert_int_equal(row_parse(f, row, str_of(cases[i].given), &err), 0);
		assert_false(err_is_set(&err));
		row_print(f, row, &b);
		assert_string_equal(buf_cstr(&b), cases[i].printed);
		row_free(e, row);
	}
}

static void hostile_values_are_refused_and_change_nothing(void **state)
{
	static const struct {
		enum entity_id entity;
		const char *field;
		const char *good;
		const char *given;
	} cases[] = {
		{ ENTITY_ACCOUNT, "line_limit", "5", "-1" },
		{ ENTITY_ACCOUNT, "line_limit", "5", "1000001" },
		{ ENTITY_ACCOUNT, "line_limit", "5", "1e3" },
		{ ENTITY_ACCOUNT, "line_limit", "5", "0x10" },
		{ ENTITY_ACCOUNT, "line_limit", "5", " 5" },
		{ ENTITY_ACCOUNT, "line_limit", "5", "5;DROP TABLE account" },
		{ ENTITY_ACCOUNT, "line_limit", "5", "123456789012345678901234567890" },
		{ ENTITY_ACCOUNT, "line_limit", "5", "-9223372036854775808" },
		{ ENTITY_ACCOUNT, "limit_money", "5", "NaN" },
		{ ENTITY_ACCOUNT, "limit_money", "5", "inf" },
		{ ENTITY_ACCOUNT, "limit_money", "5", "1e2" },
		{ ENTITY_ACCOUNT, "limit_money", "5", "-0.01" },
		{ ENTITY_ACCOUNT, "limit_money", "5", "0.000000001" },
		{ ENTITY_ACCOUNT, "limit_money", "5", "90000000000.00000001" },
		{ ENTITY_ACCOUNT, "limit_money", "5", "123456789012345678901234567890" },
		{ ENTITY_ACCOUNT, "limit_money", "5", "1,5" },
		{ ENTITY_ACCOUNT, "cut_off", "true", "2" },
		{ ENTITY_ACCOUNT, "cut_off", "true", "maybe" },
		{ ENTITY_ACCOUNT, "kind", "agent", "customers" },
		{ ENTITY_ACCOUNT, "kind", "agent", "0" },
		{ ENTITY_ACCOUNT, "valid_until", "2026-12-01", "2026-02-30T00:00:00Z" },
		{ ENTITY_ACCOUNT, "valid_until", "2026-12-01", "tomorrow" },
		{ ENTITY_ACCOUNT, "valid_until", "2026-12-01", "2026-12-01T00:00:00" },
		{ ENTITY_ACCOUNT, "name", "acme", "a\nb" },
		{ ENTITY_ACCOUNT, "name", "acme", "a\x1b[2J" },
		{ ENTITY_ACCOUNT, "name", "acme", "a\x7f" },
		{ ENTITY_ACCOUNT, "name", "acme", "a\xc2\x9b" },         /* C1 */
		{ ENTITY_ACCOUNT, "name", "acme", "a\xe2\x80\xae" },     /* right to left */
		{ ENTITY_ACCOUNT, "name", "acme", "a\xff" },             /* no UTF-8 */
		{ ENTITY_ACCOUNT, "name", "acme", "a\xc0\xaf" },         /* overlong */
		{ ENTITY_ACCOUNT, "name", "acme", "a\xed\xa0\x80" },     /* surrogate */
		{ ENTITY_ACCOUNT, "name", "acme", "a\xf4\x90\x80\x80" }, /* past Unicode */
		{ ENTITY_RATE, "prefix", "880", "88o" },
		{ ENTITY_RATE, "prefix", "880", "+880" },
		{ ENTITY_RATE, "prefix", "880", "880,881" },
		{ ENTITY_RATE, "unit", "60", "0" },
		{ ENTITY_MAPPING_GATEWAY, "tech_prefix", "12#", "12#,,13#" },
		{ ENTITY_MAPPING_GATEWAY, "tech_prefix", "12#", "12#," },
		{ ENTITY_MAPPING_GATEWAY, "tech_prefix", "12#", "a" },
		{ ENTITY_MAPPING_GATEWAY, "address", "192.0.2.1", "192.0.2.1 192.0.2.2" },
		{ ENTITY_CDR, "id", "1", "8000000000000000" },
		{ ENTITY_CDR, "id", "1", "00000000000000001" },
		{ ENTITY_CDR, "id", "1", "xyz" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct entity *e = &entities[cases[i].entity];
		const struct field *f = field_of(cases[i].entity, cases[i].field);
		CLEANUP(buf_done) struct buf before = BUF_INIT;
		CLEANUP(buf_done) struct buf after = BUF_INIT;
		struct err err = ERR_INIT;
		void *row = row_create(e);

		assert_non_null(row);
		assert_int_equal(row_parse(f, row, str_of(cases[i].good), NULL), 0);
		row_print(f, row, &before);
		assert_int_equal(row_parse(f, row, str_of(cases[i].given), &err), -EINVAL);
		row_print(f, row, &after);
		assert_string_equal(buf_cstr(&before), buf_cstr(&after));
		assert_int_equal(err.code, ERR_BAD_VALUE);
		assert_string_equal(err.field, cases[i].field);
		assert_true(err.accepted[0] != '\0' && err.message[0] != '\0');
		row_free(e, row);
	}
}

static void a_text_is_as_long_as_its_characters_not_its_bytes(void **state)
{
	const struct entity *e = &entities[ENTITY_ACCOUNT];
	const struct field *f = &e->field[ACCOUNT_ID];
	CLEANUP(free) char *long_enough = repeated('a', 64);
	CLEANUP(free) char *too_long = repeated('a', 65);
	CLEANUP(buf_done) struct buf wide = BUF_INIT;
	void *row = row_create(e);

	(void)state;
	assert_non_null(row);
	for (int i = 0; i < 64; i++)
		buf_putz(&wide, "\xe4\xb8\xad");
	assert_int_equal(row_parse(f, row, str_of(long_enough), NULL), 0);
	assert_int_equal(row_parse(f, row, str_of(too_long), NULL), -EINVAL);
	assert_int_equal(row_parse(f, row, buf_str(&wide), NULL), 0);
	buf_putc(&wide, 'a');
	assert_int_equal(row_parse(f, row, buf_str(&wide), NULL), -EINVAL);
	row_free(e, row);
}

static void a_text_with_a_nul_is_refused(void **state)
{
	const struct entity *e = &entities[ENTITY_ACCOUNT];
	void *row = row_create(e);

	(void)state;
	assert_non_null(row);
	assert_int_equal(row_parse(&e->field[ACCOUNT_NAME], row, STR("a\0b"), NULL), -EINVAL);
	row_free(e, row);
}

static void nothing_brings_a_field_back_to_its_default(void **state)
{
	(void)state;
	for (int i = 0; i < ENTITY_COUNT; i++) {
		const struct entity *e = &entities[i];
		void *row = row_create(e), *fresh = row_create(e);

		assert_true(row && fresh);
		assert_int_equal(sample_fill(e, row), 0);
		for (int k = 0; k < e->fields; k++)
			assert_int_equal(row_parse(&e->field[k], row, STR(""), NULL), 0);
		assert_true(sample_is_same(e, row, fresh, 0));
		row_free(e, row);
		row_free(e, fresh);
	}
}

static void the_first_thing_missing_is_named(void **state)
{
	const struct entity *e = &entities[ENTITY_ACCOUNT];
	struct err err = ERR_INIT;
	void *row = row_create(e);

	(void)state;
	assert_non_null(row);
	assert_int_equal(row_check(e, row, &err), -EINVAL);
	assert_int_equal(err.code, ERR_MISSING_FIELD);
	assert_string_equal(err.field, "id");

	err = ERR_INIT;
	assert_int_equal(row_parse(&e->field[ACCOUNT_ID], row, STR("acme"), NULL), 0);
	assert_int_equal(row_check(e, row, &err), -EINVAL);
	assert_string_equal(err.field, "limit_money");
	assert_non_null(strstr(err.accepted, "0 to 90000000000 currency"));

	assert_int_equal(row_parse(&e->field[ACCOUNT_LIMIT_MONEY], row, STR("0"), NULL), 0);
	assert_int_equal(row_check(e, row, NULL), 0);
	row_free(e, row);
}

static void what_the_switch_sets_itself_is_not_asked_for(void **state)
{
	const struct entity *e = &entities[ENTITY_PAYMENT];
	void *row = row_create(e);

	(void)state;
	assert_non_null(row);
	assert_int_equal(row_parse(&e->field[PAYMENT_ACCOUNT], row, STR("acme"), NULL), 0);
	assert_int_equal(row_parse(&e->field[PAYMENT_AMOUNT], row, STR("1"), NULL), 0);
	assert_int_equal(row_check(e, row, NULL), 0);
	row_free(e, row);
}

static void a_key_reads_as_operators_write_it(void **state)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;
	struct rate_row *r = row_create(&entities[ENTITY_RATE]);

	(void)state;
	assert_non_null(r);
	assert_int_equal(sample_fill(&entities[ENTITY_RATE], r), 0);
	row_key(&entities[ENTITY_RATE], r, &b);
	assert_string_equal(buf_cstr(&b), "Zo\xc3\xab \xe4\xb8\xad/880*#/Zo\xc3\xab \xe4\xb8\xad");
	row_free(&entities[ENTITY_RATE], r);
}

static void a_refused_secret_is_not_repeated(void **state)
{
	const struct entity *e = &entities[ENTITY_MAPPING_GATEWAY];
	struct err err = ERR_INIT;
	void *row = row_create(e);

	(void)state;
	assert_non_null(row);
	assert_int_equal(
		row_parse(&e->field[MAPPING_GATEWAY_PASSWORD], row, STR("hunter2\n"), &err),
		-EINVAL);
	assert_string_equal(err.given, "");
	row_free(e, row);
}

static void a_field_says_what_it_accepts(void **state)
{
	static const struct {
		enum entity_id entity;
		const char *field;
		const char *accepted;
	} cases[] = {
		{ ENTITY_ACCOUNT, "line_limit", "0 to 1000000 calls" },
		{ ENTITY_ACCOUNT, "limit_money", "0 to 90000000000 currency, at most 8 decimals" },
		{ ENTITY_ACCOUNT, "cut_off", "false or true" },
		{ ENTITY_ACCOUNT, "id", "text without control characters, up to 64 characters" },
		{ ENTITY_MAPPING_GATEWAY, "auth", "ip, ip_port or password" },
		{ ENTITY_ROUTING_GATEWAY, "prefix",
		  "separated by commas: digits, * and #, up to 65536 characters" },
		{ ENTITY_RATE, "prefix", "digits, * and #, up to 40 characters" },
		{ ENTITY_RATE, "effective",
		  "a time with its offset, such as 2026-12-01T00:00:00Z, or a date" },
		{ ENTITY_CDR, "id", "up to 16 hex digits" },
		{ ENTITY_CDR, "tries", "a whole number" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(buf_done) struct buf b = BUF_INIT;

		field_accepts(field_of(cases[i].entity, cases[i].field), &b);
		assert_string_equal(buf_cstr(&b), cases[i].accepted);
	}
}

static void a_copy_is_equal_and_apart(void **state)
{
	(void)state;
	for (int i = 0; i < ENTITY_COUNT; i++) {
		const struct entity *e = &entities[i];
		void *row = row_create(e);

		assert_non_null(row);
		assert_int_equal(sample_fill(e, row), 0);
		void *copy = row_copy(e, row);
		assert_non_null(copy);
		row_free(e, row);
		row = row_create(e);
		assert_true(row && sample_fill(e, row) == 0);
		assert_true(sample_is_same(e, row, copy, 0));
		row_free(e, row);
		row_free(e, copy);
	}
	assert_null(row_free(&entities[ENTITY_ACCOUNT], NULL));
}

static void a_rate_is_made_filled_and_copied(void)
{
	const struct entity *e = &entities[ENTITY_RATE];
	void *row = row_create(e);
	int r = row ? sample_fill(e, row) : -ENOMEM;
	void *copy = r == 0 ? row_copy(e, row) : NULL;

	assert_true(copy || oom_hit());
	if (copy)
		assert_true(sample_is_same(e, row, copy, 0));
	row_free(e, copy);
	row_free(e, row);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_rate_is_made_filled_and_copied);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entity_is_found_by_its_name_and_a_field_by_its_own),
		cmocka_unit_test(the_struct_and_the_table_speak_of_the_same_places),
		cmocka_unit_test(a_new_row_has_its_defaults_and_nothing_else),
		cmocka_unit_test(what_is_accepted_is_printed_in_one_form),
		cmocka_unit_test(hostile_values_are_refused_and_change_nothing),
		cmocka_unit_test(a_text_is_as_long_as_its_characters_not_its_bytes),
		cmocka_unit_test(a_text_with_a_nul_is_refused),
		cmocka_unit_test(nothing_brings_a_field_back_to_its_default),
		cmocka_unit_test(the_first_thing_missing_is_named),
		cmocka_unit_test(what_the_switch_sets_itself_is_not_asked_for),
		cmocka_unit_test(a_key_reads_as_operators_write_it),
		cmocka_unit_test(a_refused_secret_is_not_repeated),
		cmocka_unit_test(a_field_says_what_it_accepts),
		cmocka_unit_test(a_copy_is_equal_and_apart),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
