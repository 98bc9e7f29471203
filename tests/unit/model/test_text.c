#include "model/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "model/json.h"
#include "model/utf8.h"
#include "oom.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BAD      "\xef\xbf\xbd"

static json_t *parse(const char *text)
{
	return json_loads(text, JSON_DECODE_ANY, NULL);
}

static void a_character_is_as_wide_as_a_screen_makes_it(void **state)
{
	static const struct {
		int32_t c;
		int width;
	} cases[] = {
		{ 'a', 1 },      { ' ', 1 },       { 0xe9, 1 },    { 0x301, 0 },    { 0x9cd, 0 },
		{ 0x4e2d, 2 },   { 0xff01, 2 },    { 0x1f600, 2 }, { 0x995, 1 },    { 0, -1 },
		{ 0x1b, -1 },    { 0x7f, -1 },     { 0x9b, -1 },   { 0xad, -1 },    { 0x200b, -1 },
		{ 0x200d, -1 },  { 0x202e, -1 },   { 0x2066, -1 }, { 0x2028, -1 },  { 0xfeff, -1 },
		{ 0xe0001, -1 }, { UTF8_BAD, -1 }, { 0xfffd, 1 },  { 0x10ffff, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(utf8_width(cases[i].c), cases[i].width);
}

static void a_text_is_read_one_character_at_a_time(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		bool is_valid;
	} cases[] = {
		{ "", 0, true },
		{ "abc", 3, true },
		{ "\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80", 3, true },
		{ "\xc3", 1, false },
		{ "\xc3(", 2, false },
		{ "\xe4\xb8", 2, false },
		{ "\xc0\x80", 2, false },
		{ "\xe0\x80\x80", 3, false },
		{ "\xed\xbf\xbf", 3, false },
		{ "\xf4\x90\x80\x80", 4, false },
		{ "\xf8\x88\x80\x80\x80", 5, false },
		{ "\x80", 1, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(utf8_length(str_of(cases[i].text)), cases[i].length);
		assert_int_equal(utf8_is_valid(str_of(cases[i].text)), cases[i].is_valid);
	}
}

static void what_could_fool_a_terminal_is_replaced(void **state)
{
	static const struct {
		const char *given;
		const char *shown;
		size_t width;
	} cases[] = {
		{ "plain", "plain", 5 },
		{ "\x1b[2Jx", BAD "[2Jx", 5 },
		{ "a\tb\r\n", "a" BAD "b" BAD BAD, 5 },
		{ "a\xc2\x9b"
		  "b",
		  "a" BAD "b", 3 },
		{ "a\xe2\x80\xae"
		  "b",
		  "a" BAD "b", 3 },
		{ "a\xe2\x80\x8b"
		  "b",
		  "a" BAD "b", 3 },
		{ "a\xff", "a" BAD, 2 },
		{ "e\xcc\x81", "e\xcc\x81", 1 },
		{ "\xe4\xb8\xad", "\xe4\xb8\xad", 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(buf_done) struct buf b = BUF_INIT;

		text_put(&b, str_of(cases[i].given));
		assert_string_equal(buf_cstr(&b), cases[i].shown);
		assert_int_equal(text_width(str_of(cases[i].given)), cases[i].width);
	}
}

static void a_cell_has_its_width_whatever_is_in_it(void **state)
{
	static const struct {
		const char *given;
		size_t width;
		bool is_right;
		const char *shown;
	} cases[] = {
		{ "abc", 5, false, "abc  " },
		{ "abc", 5, true, "  abc" },
		{ "abc", 3, false, "abc" },
		{ "abcd", 3, false, "ab\xe2\x80\xa6" },
		{ "\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad", 4, false, "\xe4\xb8\xad\xe2\x80\xa6" },
		{ "\xe4\xb8\xad", 3, true, " \xe4\xb8\xad" },
		{ "abc", 0, false, "" },
		{ "", 2, false, "  " },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(buf_done) struct buf b = BUF_INIT;

		text_put_cell(&b, str_of(cases[i].given), cases[i].width, cases[i].is_right);
		assert_string_equal(buf_cstr(&b), cases[i].shown);
	}
}

static void check_table(const char *json, const char *const *columns, const struct entity *e,
			const char *shown)
{
	CLEANUP(json_decref) json_t *rows = parse(json);
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	assert_non_null(rows);
	assert_int_equal(text_table(rows, columns, e, &b), 0);
	assert_string_equal(buf_cstr(&b), shown);
}

static void rows_stand_in_aligned_columns(void **state)
{
	static const char *const columns[] = { "id", "limit_money", "cut_off", "name", NULL };

	(void)state;
	check_table("[{\"id\": \"acme\", \"limit_money\": \"10.5\", \"cut_off\": true,"
		    "  \"name\": \"Acme\", \"more\": 1},"
		    " {\"id\": \"\xe4\xb8\xad\xe4\xb8\xad\", \"limit_money\": \"1000\","
		    "  \"cut_off\": false, \"name\": null}]",
		    columns, &entities[ENTITY_ACCOUNT],
		    "id    limit_money  cut_off  name\n"
		    "acme         10.5  true     Acme\n"
		    "\xe4\xb8\xad\xe4\xb8\xad         1000  false    \n");
}

static void without_a_choice_the_first_row_names_the_columns(void **state)
{
	(void)state;
	check_table("[{\"calls\": 7, \"gateway\": \"a\"}, {\"calls\": 12}]", NULL, NULL,
		    "calls  gateway\n"
		    "    7  a\n"
		    "   12  \n");
	check_table("[]", NULL, NULL, "\n");
}

/* The width of a line whose one row has this cell, alone or with an empty one behind it. */
static size_t width_with(size_t cell, const char *const *columns)
{
	CLEANUP(json_decref) json_t *rows = json_array();
	CLEANUP(buf_done) struct buf b = BUF_INIT;
	char wide[TEXT_LAST_MAX + 9];
	struct str rest, line;

	memset(wide, 'x', sizeof(wide));
	json_t *text = json_of_text(str_n(wide, cell));
	assert_int_equal(json_array_append_new(rows, json_pack("{s:o}", "prefix", text)), 0);
	assert_int_equal(text_table(rows, columns, NULL, &b), 0);
	rest = buf_str(&b);
	assert_true(str_line(&rest, &line) && str_line(&rest, &line));
	return text_width(line);
}

static void a_cell_that_is_too_wide_is_cut(void **state)
{
	static const char *const first[] = { "prefix", "x", NULL };

	(void)state;
	assert_int_equal(width_with(TEXT_CELL_MAX, first), TEXT_CELL_MAX + 3);
	assert_int_equal(width_with(TEXT_CELL_MAX + 9, first), TEXT_CELL_MAX + 3);
	assert_int_equal(width_with(TEXT_LAST_MAX, NULL), TEXT_LAST_MAX);
	assert_int_equal(width_with(TEXT_LAST_MAX + 9, NULL), TEXT_LAST_MAX);
}

static void check_object(const char *json, const char *shown)
{
	CLEANUP(json_decref) json_t *object = parse(json);
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	assert_non_null(object);
	assert_int_equal(text_object(object, &b), 0);
	assert_string_equal(buf_cstr(&b), shown);
}

static void an_object_is_a_line_for_each_name(void **state)
{
	(void)state;
	check_object("{\"id\": \"acme\", \"limit_money\": \"10\", \"agent\": null,"
		     " \"cut_off\": true, \"address\": [\"192.0.2.1\", \"192.0.2.2\"], \"n\": -3}",
		     "id:          acme\n"
		     "limit_money: 10\n"
		     "agent:\n"
		     "cut_off:     true\n"
		     "address:     192.0.2.1, 192.0.2.2\n"
		     "n:           -3\n");
}

static void what_is_inside_an_object_is_indented(void **state)
{
	(void)state;
	check_object("{\"calls\": {\"up\": 1, \"ringing\": 2}, \"steps\": ["
		     " {\"step\": 1, \"verdict\": \"go on\"}, {\"step\": 2, \"verdict\": \"no\"}],"
		     " \"x\": \"a\\u001b\"}",
		     "calls:\n"
		     "  up:      1\n"
		     "  ringing: 2\n"
		     "steps:\n"
		     "  step  verdict\n"
		     "     1  go on\n"
		     "     2  no\n"
		     "x:     a" BAD "\n");
}

static void texts_are_made(void)
{
	CLEANUP(json_decref)
	json_t *object =
		parse("{\"a\": {\"b\": [1, 2]}, \"rows\": [{\"x\": {\"y\": 1}, \"z\": \"z\"}]}");
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	if (!object) {
		assert_true(oom_hit());
		return;
	}
	if (oom_refused(text_object(object, &b)))
		return;
	assert_string_equal(buf_cstr(&b) ? b.p : "", "a:\n"
						     "  b: 1, 2\n"
						     "rows:\n"
						     "  x        z\n"
						     "  {\"y\":1}  z\n");
}

static void of_a_change_there_is_what_changed(void **state)
{
	static const struct {
		const char *of, *other, *text;
	} cases[] = {
		{ "{\"a\": 1, \"b\": \"x\", \"c\": null}", "{\"a\": 2, \"b\": \"x\", \"c\": 3}",
		  "a=1 c=" },
		{ "{\"a\": 1, \"b\": [\"x\", \"y\"], \"c\": null, \"d\": []}", NULL, "a=1 b=x, y" },
		{ "{\"a\": 1}", "{\"a\": 1}", "" },
		{ "{\"a\": 1, \"b\": 2}", "{\"a\": 1}", "b=2" },
		{ "{}", "{\"a\": 1}", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(json_decref) json_t *of = parse(cases[i].of);
		CLEANUP(json_decref) json_t *other = cases[i].other ? parse(cases[i].other) : NULL;
		CLEANUP(buf_done) struct buf b = BUF_INIT;

		text_put_changes(of, other, &b);
		assert_true(str_eq(buf_str(&b), str_of(cases[i].text)));
	}
}

static void decisions_become_rows(void **state)
{
	CLEANUP(json_decref)
	json_t *record = parse("{\"decisions\": \"[{\\\"step\\\": \\\"rate\\\", \\\"detail\\\": "
			       "\\\"x\\\", \\\"ms\\\": 1}]\"}");
	CLEANUP(json_decref) json_t *none = parse("{\"decisions\": \"no JSON\"}");
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(text_unfold_decisions(record), 0);
	assert_int_equal(text_object(record, &b), 0);
	assert_true(str_eq(buf_str(&b), STR("decisions:\n"
					    "  step  verdict  detail\n"
					    "  rate           x\n")));
	assert_int_equal(text_unfold_decisions(none), 0);
	assert_string_equal(json_string_value(json_object_get(none, "decisions")), "no JSON");
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(texts_are_made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_character_is_as_wide_as_a_screen_makes_it),
		cmocka_unit_test(a_text_is_read_one_character_at_a_time),
		cmocka_unit_test(what_could_fool_a_terminal_is_replaced),
		cmocka_unit_test(a_cell_has_its_width_whatever_is_in_it),
		cmocka_unit_test(rows_stand_in_aligned_columns),
		cmocka_unit_test(without_a_choice_the_first_row_names_the_columns),
		cmocka_unit_test(a_cell_that_is_too_wide_is_cut),
		cmocka_unit_test(an_object_is_a_line_for_each_name),
		cmocka_unit_test(what_is_inside_an_object_is_indented),
		cmocka_unit_test(of_a_change_there_is_what_changed),
		cmocka_unit_test(decisions_become_rows),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
