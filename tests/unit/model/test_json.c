#include "model/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/sample.h"
#include "oom.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static json_t *parse(const char *text)
{
	return json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
}

/* What may be set, of what a row shows. */
static int keep_settable(const struct entity *e, json_t *object)
{
	for (int i = 0; i < e->fields; i++) {
		if (e->field[i].flags & (FIELD_AUTO | FIELD_COMPUTED))
			(void)json_object_del(object, e->field[i].name);
	}
	return 0;
}

static int there_and_back(const struct entity *e, const void *row, void *back)
{
	CLEANUP(json_decref) json_t *object = row_to_json(e, row);

	if (!object)
		return -ENOMEM;
	for (int i = 0; i < e->fields; i++) {
		bool is_secret = e->field[i].flags & FIELD_SECRET;

		assert_int_equal(json_object_get(object, e->field[i].name) == NULL, is_secret);
	}
	keep_settable(e, object);
	return row_from_json(e, back, object, NULL);
}

static void check_there_and_back(const struct entity *e)
{
	void *row = row_create(e), *back = row_create(e);
	int r = row && back ? sample_fill(e, row) : -ENOMEM;

	if (r == 0)
		r = there_and_back(e, row, back);
	if (!oom_refused(r))
		assert_true(
			sample_is_same(e, row, back, FIELD_SECRET | FIELD_AUTO | FIELD_COMPUTED));
	row_free(e, row);
	row_free(e, back);
}

static void every_entity_goes_to_json_and_back(void **state)
{
	(void)state;
	for (int i = 0; i < ENTITY_COUNT; i++)
		check_there_and_back(&entities[i]);
}

static void a_rate_goes_to_json_and_back(void)
{
	check_there_and_back(&entities[ENTITY_RATE]);
}

static void absent_fields_go_to_json_and_back(void **state)
{
	(void)state;
	for (int i = 0; i < ENTITY_COUNT; i++) {
		const struct entity *e = &entities[i];
		void *row = row_create(e), *back = row_create(e);

		assert_true(row && back);
		assert_int_equal(sample_fill(e, back), 0);
		assert_int_equal(there_and_back(e, row, back), 0);
		assert_true(
			sample_is_same(e, row, back, FIELD_SECRET | FIELD_AUTO | FIELD_COMPUTED));
		row_free(e, row);
		row_free(e, back);
	}
}

static void a_row_looks_as_documented(void **state)
{
	const struct entity *e = &entities[ENTITY_RATE];
	struct rate_row *r = row_create(e);

	(void)state;
	assert_non_null(r);
	assert_int_equal(row_set_text(&e->field[RATE_PREFIX], r, STR("880")), 0);
	assert_int_equal(row_set_text(&e->field[RATE_SECTIONS], r, STR("60:0.01,120:0")), 0);
	r->price = 1230000;

	CLEANUP(json_decref) json_t *object = row_to_json(e, r);
	assert_non_null(object);
	char *text = json_dumps(object, JSON_COMPACT);
	assert_non_null(text);
	assert_string_equal(text, "{\"group\":null,\"prefix\":\"880\",\"origin\":null,"
				  "\"effective\":\"1970-01-01T00:00:00.000Z\",\"end\":null,"
				  "\"price\":\"0.0123\",\"unit\":60,\"first\":1,\"step\":1,"
				  "\"setup_fee\":\"0\",\"sections\":[\"60:0.01\",\"120:0\"],"
				  "\"tax_percent\":\"0\",\"band_mode\":\"start\","
				  "\"status\":\"normal\",\"area\":null,\"version\":null}");
	free(text);
	row_free(e, r);
}

static void a_text_from_the_network_never_breaks_the_json(void **state)
{
	static const struct {
		struct str given;
		const char *shown;
	} cases[] = {
		{ { "", 0 }, "" },
		{ { "plain", 5 }, "plain" },
		{ { "\xff\xfe", 2 }, "\xef\xbf\xbd\xef\xbf\xbd" },
		{ { "a\xc3", 2 }, "a\xef\xbf\xbd" },
		{ { "\xe4\xb8\xad\x80", 4 }, "\xe4\xb8\xad\xef\xbf\xbd" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(json_decref) json_t *j = json_of_text(cases[i].given);

		assert_non_null(j);
		assert_string_equal(json_string_value(j), cases[i].shown);
		char *dump = json_dumps(j, JSON_ENCODE_ANY);
		assert_non_null(dump);
		free(dump);
	}
}

static void values_of_any_kind_that_fits_are_taken(void **state)
{
	static const struct {
		const char *json;
		int field;
		const char *text;
	} cases[] = {
		{ "{\"line_limit\": 7}", ROUTING_GATEWAY_LINE_LIMIT, "7" },
		{ "{\"line_limit\": \"7\"}", ROUTING_GATEWAY_LINE_LIMIT, "7" },
		{ "{\"line_limit\": null}", ROUTING_GATEWAY_LINE_LIMIT, "0" },
		{ "{\"protect\": true}", ROUTING_GATEWAY_PROTECT, "true" },
		{ "{\"protect\": \"yes\"}", ROUTING_GATEWAY_PROTECT, "true" },
		{ "{\"protect\": 1}", ROUTING_GATEWAY_PROTECT, "true" },
		{ "{\"prefix\": [\"880\", \"44\"]}", ROUTING_GATEWAY_PREFIX, "880,44" },
		{ "{\"prefix\": [880, 44]}", ROUTING_GATEWAY_PREFIX, "880,44" },
		{ "{\"prefix\": \"880, 44\"}", ROUTING_GATEWAY_PREFIX, "880,44" },
		{ "{\"prefix\": []}", ROUTING_GATEWAY_PREFIX, "" },
		{ "{\"memo\": 12}", ROUTING_GATEWAY_MEMO, "12" },
	};
	const struct entity *e = &entities[ENTITY_ROUTING_GATEWAY];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(json_decref) json_t *object = parse(cases[i].json);
		CLEANUP(buf_done) struct buf b = BUF_INIT;
		void *row = row_create(e);

		assert_true(object && row);
		assert_int_equal(sample_fill(e, row), 0);
		assert_int_equal(row_from_json(e, row, object, NULL), 0);
		row_print(&e->field[cases[i].field], row, &b);
		assert_string_equal(buf_cstr(&b), cases[i].text);
		row_free(e, row);
	}
}

static void what_does_not_fit_is_refused_by_name(void **state)
{
	static const struct {
		const char *json;
		enum err_code code;
		const char *field;
	} cases[] = {
		{ "{\"nonsense\": 1}", ERR_UNKNOWN_FIELD, "nonsense" },
		{ "{\"\": 1}", ERR_UNKNOWN_FIELD, "" },
		{ "{\"Id\": \"x\"}", ERR_UNKNOWN_FIELD, "Id" },
		{ "{\"balance\": \"1000000\"}", ERR_UNKNOWN_FIELD, "balance" },
		{ "{\"created\": \"2026-12-01\"}", ERR_UNKNOWN_FIELD, "created" },
		{ "{\"limit_money\": 0.1}", ERR_BAD_VALUE, "limit_money" },
		{ "{\"limit_money\": 1e2}", ERR_BAD_VALUE, "limit_money" },
		{ "{\"limit_money\": {\"a\": 1}}", ERR_BAD_VALUE, "limit_money" },
		{ "{\"limit_money\": [\"1\"]}", ERR_BAD_VALUE, "limit_money" },
		{ "{\"limit_money\": \"NaN\"}", ERR_BAD_VALUE, "limit_money" },
		{ "{\"limit_money\": true}", ERR_BAD_VALUE, "limit_money" },
		{ "{\"name\": \"a\\u001bb\"}", ERR_BAD_VALUE, "name" },
		{ "{\"name\": \"a\\u202eb\"}", ERR_BAD_VALUE, "name" },
		{ "{\"kind\": \"emperor\"}", ERR_BAD_VALUE, "kind" },
		{ "{\"line_limit\": -1}", ERR_BAD_VALUE, "line_limit" },
		{ "{\"line_limit\": 1.0}", ERR_BAD_VALUE, "line_limit" },
	};
	const struct entity *e = &entities[ENTITY_ACCOUNT];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(json_decref) json_t *object = parse(cases[i].json);
		struct err err = ERR_INIT;
		void *row = row_create(e);

		assert_true(object && row);
		assert_int_equal(row_from_json(e, row, object, &err), -EINVAL);
		assert_int_equal(err.code, cases[i].code);
		assert_string_equal(err.field, cases[i].field);
		assert_true(err.accepted[0] != '\0');
		row_free(e, row);
	}
}

static void a_list_item_cannot_smuggle_a_comma(void **state)
{
	const struct entity *e = &entities[ENTITY_ROUTING_GATEWAY];
	CLEANUP(json_decref) json_t *object = parse("{\"prefix\": [\"880,44\"]}");
	CLEANUP(json_decref) json_t *nested = parse("{\"prefix\": [[\"880\"]]}");
	void *row = row_create(e);

	(void)state;
	assert_true(object && nested && row);
	assert_int_equal(row_from_json(e, row, object, NULL), -EINVAL);
	assert_int_equal(row_from_json(e, row, nested, NULL), -EINVAL);
	row_free(e, row);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_rate_goes_to_json_and_back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_entity_goes_to_json_and_back),
		cmocka_unit_test(absent_fields_go_to_json_and_back),
		cmocka_unit_test(a_row_looks_as_documented),
		cmocka_unit_test(a_text_from_the_network_never_breaks_the_json),
		cmocka_unit_test(values_of_any_kind_that_fits_are_taken),
		cmocka_unit_test(what_does_not_fit_is_refused_by_name),
		cmocka_unit_test(a_list_item_cannot_smuggle_a_comma),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
