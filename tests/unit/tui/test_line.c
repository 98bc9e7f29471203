#include "tui/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "tui/keys.h"

static void type(struct line *l, const int *key)
{
	for (; *key; key++)
		(void)line_key(l, *key);
}

static void assert_line(struct line *l, const char *text, size_t at)
{
	assert_int_equal(line_str(l).n, strlen(text));
	if (text[0])
		assert_memory_equal(line_str(l).p, text, strlen(text));
	assert_int_equal(l->at, at);
}

static const struct {
	const char *begin;
	int key[8];
	const char *end;
	size_t at;
} edits[] = {
	{ "", { 'a', 'b' }, "ab", 2 },
	{ "ac", { K_LEFT, 'b' }, "abc", 2 },
	{ "bc", { K_HOME, 'a' }, "abc", 1 },
	{ "ab", { K_CTRL('a'), K_CTRL('e'), 'c' }, "abc", 3 },
	{ "abc", { K_BACKSPACE }, "ab", 2 },
	{ "abc", { K_HOME, K_BACKSPACE }, "abc", 0 },
	{ "abc", { K_HOME, K_DELETE }, "bc", 0 },
	{ "abc", { K_DELETE }, "abc", 3 },
	{ "abc", { K_LEFT, K_CTRL('u') }, "c", 0 },
	{ "abc", { K_LEFT, K_CTRL('k') }, "ab", 2 },
	{ "", { 0xfc, 0x20ac, 0x1f600 }, "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80", 9 },
	{ "a\xc3\xbc", { K_LEFT, K_LEFT, K_RIGHT, 'x' }, "ax\xc3\xbc", 2 },
	{ "a\xc3\xbc", { K_BACKSPACE }, "a", 1 },
	/* A mark goes with the letter that it stands on. */
	{ "e\xcc\x81x", { K_HOME, K_RIGHT, K_DELETE }, "e\xcc\x81", 3 },
	{ "e\xcc\x81", { K_BACKSPACE }, "", 0 },
	/* Controls, a direction override, what is no key of a line. */
	{ "a", { 0x9b, 0x202e, 0x200b, K_F(3), K_UP }, "a", 1 },
};

static void text_is_edited_at_the_cursor(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		CLEANUP(line_done) struct line l = LINE_INIT(100);

		if (line_set(&l, str_of(edits[i].begin)) < 0)
			return;
		type(&l, edits[i].key);
		assert_line(&l, edits[i].end, edits[i].at);
	}
}

static void no_more_characters_than_allowed_go_in(void **state)
{
	CLEANUP(line_done) struct line l = LINE_INIT(2);
	const int keys[] = { 0xfc, 'b', 'c', 0 };

	(void)state;
	type(&l, keys);
	if (line_str(&l).n)
		assert_line(&l,
			    "\xc3\xbc"
			    "b",
			    3);
}

static void what_is_no_key_of_a_line_is_left_to_others(void **state)
{
	CLEANUP(line_done) struct line l = LINE_INIT(2);

	(void)state;
	assert_false(line_key(&l, K_ENTER));
	assert_false(line_key(&l, K_TAB));
	assert_false(line_key(&l, K_F(1)));
	assert_false(line_key(&l, K_DOWN));
	assert_true(line_key(&l, K_BACKSPACE));
}

static void the_cursor_is_always_in_the_window(void **state)
{
	CLEANUP(line_done) struct line l = LINE_INIT(100);
	int cursor;

	(void)state;
	if (line_set(&l, STR("0123456789")) < 0)
		return;
	struct str s = line_window(&l, 5, &cursor);
	assert_int_equal(cursor, 4);
	assert_memory_equal(s.p, "6789", 4);
	(void)line_key(&l, K_HOME);
	s = line_window(&l, 5, &cursor);
	assert_int_equal(cursor, 0);
	assert_int_equal(s.n, 10);
	/* Two columns a character. */
	if (line_set(&l, STR("\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2")) < 0)
		return;
	s = line_window(&l, 4, &cursor);
	assert_int_equal(s.n, 3);
	assert_int_equal(cursor, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_edited_at_the_cursor),
		cmocka_unit_test(no_more_characters_than_allowed_go_in),
		cmocka_unit_test(what_is_no_key_of_a_line_is_left_to_others),
		cmocka_unit_test(the_cursor_is_always_in_the_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
