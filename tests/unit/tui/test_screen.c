#include "tui/screen.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tui/dialog.h"
#include "tui/form_entity.h"
#include "tui/table.h"

#include "rig.h"

static struct screen *s;

/* --- keys --- */

struct heard {
	int key[64];
	int n;
};

static void draw_nothing(void *ctx, struct area a)
{
	(void)ctx;
	(void)draw_text(a, 0, 0, ROLE_PLAIN, STR("here"));
}

static int hear(void *ctx, int key)
{
	struct heard *h = ctx;

	if (key == 'Q')
		return VIEW_LEAVES;
	if (h->n < 64)
		h->key[h->n++] = key;
	return VIEW_STAYS;
}

static const struct {
	const char *bytes;
	int key;
} sent[] = {
	{ "\033[A", K_UP },       { "\033OA", K_UP },     { "\033[B", K_DOWN },
	{ "\033OD", K_LEFT },     { "\033[H", K_HOME },   { "\033[1~", K_HOME },
	{ "\033OF", K_END },      { "\033[4~", K_END },   { "\033[5~", K_PAGE_UP },
	{ "\033[3~", K_DELETE },  { "\033OP", K_F(1) },   { "\033[11~", K_F(1) },
	{ "\033[[B", K_F(2) },    { "\033[20~", K_F(9) }, { "\0332", K_F(2) },
	{ "\0330", K_F(10) },     { "\r", K_ENTER },      { "\n", K_ENTER },
	{ "\177", K_BACKSPACE },  { "\b", K_BACKSPACE },  { "\t", K_TAB },
	{ "\033[Z", K_BACK_TAB }, { "\003", K_ESC },      { "\x1a", K_CTRL('z') },
	{ "\x1c", 0x1c },         { "\033OM", K_ENTER },  { "x", 'x' },
};

/* With its signals' keys among them, and none of them stops the program. */
static void keys_are_known_in_every_form(void **state)
{
	const struct view v = { .title = "keys",
				.is_firm = true,
				.is_typing = true,
				.draw = draw_nothing,
				.key = hear };

	(void)state;
	if (rig_screen(&s, (struct screen_options){ 0 }, 24, 80) < 0)
		return;
	for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
		struct heard h = { 0 };
		bool is_help = sent[i].key == K_F(1);

		rig_type(sent[i].bytes);
		rig_type(is_help ? "\rQ" : "Q");
		assert_int_equal(screen_run(s, &v, &h), VIEW_LEAVES);
		if (is_help)
			continue;
		if (h.n != 1 || h.key[0] != sent[i].key)
			fail_msg("sequence %zu: %d keys, the first is %x", i, h.n, h.key[0]);
	}
}

static void a_signal_of_the_keyboard_does_nothing_and_one_to_end_ends(void **state)
{
	const struct view v = { .title = "keys", .draw = draw_nothing, .key = hear };
	struct heard h = { 0 };

	(void)state;
	if (rig_screen(&s, (struct screen_options){ 0 }, 24, 80) < 0)
		return;
	(void)raise(SIGTSTP);
	(void)raise(SIGQUIT);
	(void)raise(SIGINT);
	rig_type("Q");
	assert_int_equal(screen_run(s, &v, &h), VIEW_LEAVES);
	(void)raise(SIGHUP);
	assert_int_equal(screen_run(s, &v, &h), -ECANCELED);
	assert_int_equal(screen_why(s), -EINTR);
}

static void an_idle_screen_is_over_with_everything_on_it(void **state)
{
	(void)state;
	if (rig_screen(&s, (struct screen_options){ .idle_ms = 50 }, 24, 80) < 0)
		return;
	assert_false(dialog_confirm(s, "Sure", STR("?"), "Yes"));
	assert_true(screen_is_over(s));
	assert_int_equal(screen_why(s), -ETIMEDOUT);
	assert_int_equal(dialog_choose(s, "x", (const char *[]){ "a", NULL }, 0), -1);
	screen_reset(s);
	rig_type("\t\r");
	assert_true(dialog_confirm(s, "Sure", STR("?"), "Yes"));
}

static int look_at_bars(void *ctx)
{
	(void)ctx;
	assert_true(strstr(rig_line(0), "Test  Accounts"));
	assert_true(strstr(rig_line(0), "UNLICENSED"));
	assert_true(strstr(rig_line(0), "UTC"));
	assert_true(strstr(rig_line(23), "F1/? Help"));
	assert_true(strstr(rig_line(23), "a Add"));
	return VIEW_LEAVES;
}

static int nothing(void *ctx)
{
	(void)ctx;
	return VIEW_STAYS;
}

static void marks_and_keys_stand_on_every_page(void **state)
{
	const struct binding bindings[] = {
		{ 'a', 0, "Add", NULL, BINDING_CHANGES, nothing },
		{ 'z', 0, "Look", NULL, BINDING_QUIET, look_at_bars },
		{ 0 },
	};
	const struct view v = { .title = "Accounts", .bindings = bindings, .draw = draw_nothing };

	(void)state;
	if (rig_screen(&s, (struct screen_options){ .marks = "UNLICENSED" }, 24, 80) < 0)
		return;
	rig_type("z");
	assert_int_equal(screen_run(s, &v, NULL), VIEW_LEAVES);
}

static int look_at_read_only(void *ctx)
{
	(void)ctx;
	assert_null(strstr(rig_line(23), "Add"));
	return VIEW_LEAVES;
}

static int must_not_happen(void *ctx)
{
	(void)ctx;
	fail_msg("a change on a read-only screen");
	return VIEW_STAYS;
}

static void a_read_only_screen_has_no_keys_that_change(void **state)
{
	const struct binding bindings[] = {
		{ 'a', 0, "Add", NULL, BINDING_CHANGES, must_not_happen },
		{ 'z', 0, "Look", NULL, 0, look_at_read_only },
		{ 0 },
	};
	const struct view v = { .title = "x", .bindings = bindings, .draw = draw_nothing };

	(void)state;
	if (rig_screen(&s, (struct screen_options){ .is_read_only = true }, 24, 80) < 0)
		return;
	rig_type("az");
	assert_int_equal(screen_run(s, &v, NULL), VIEW_LEAVES);
}

static int look_at_small(void *ctx)
{
	int *step = ctx;

	if ((*step)++ == 0) {
		rig_resize(10, 40);
		return VIEW_STAYS;
	}
	assert_true(rig_has("the screen must have 80 x 24"));
	return VIEW_LEAVES;
}

static void a_screen_that_became_too_small_says_so(void **state)
{
	const struct binding bindings[] = { { 'z', 0, "Look", NULL, 0, look_at_small }, { 0 } };
	const struct view v = { .title = "x", .bindings = bindings, .draw = draw_nothing };
	int step = 0;

	(void)state;
	if (rig_screen(&s, (struct screen_options){ 0 }, 24, 80) < 0)
		return;
	rig_type("zz");
	assert_int_equal(screen_run(s, &v, &step), VIEW_LEAVES);
}

static void a_line_of_unknown_size_is_80_by_24(void **state)
{
	const struct binding bindings[] = {
		{ 'z', 0, "Look", NULL, BINDING_QUIET, look_at_bars },
		{ 'a', 0, "Add", NULL, 0, nothing },
		{ 0 },
	};
	const struct view v = { .title = "Accounts", .bindings = bindings, .draw = draw_nothing };

	(void)state;
	if (rig_screen(&s, (struct screen_options){ .marks = "UNLICENSED" }, 0, 0) < 0)
		return;
	rig_type("z");
	assert_int_equal(screen_run(s, &v, NULL), VIEW_LEAVES);
}

/* --- what strangers write --- */

static const char evil[] = "x\033]0;pwn\007\033[2J\xc2\x9b"
			   "31m\xe2\x80\xae|\xff|\xe2\x80\x8bz";

static int look_at_evil(void *ctx)
{
	(void)ctx;
	assert_false(rig_was_sent("\033]0;"));
	assert_false(rig_was_sent("\xc2\x9b"));
	assert_false(rig_was_sent("\xe2\x80\xae"));
	assert_false(rig_was_sent("\xff"));
	assert_true(rig_has("]0;pwn"));
	return VIEW_LEAVES;
}

static void draw_evil(void *ctx, struct area a)
{
	(void)ctx;
	(void)draw_text(a, 3, 0, ROLE_PLAIN, str_of(evil));
}

static void a_strangers_text_does_nothing_to_the_terminal(void **state)
{
	const struct binding bindings[] = { { 'z', 0, "Look", NULL, 0, look_at_evil }, { 0 } };
	const struct view v = { .title = evil, .bindings = bindings, .draw = draw_evil };

	(void)state;
	if (rig_screen(&s, (struct screen_options){ .marks = evil }, 24, 80) < 0)
		return;
	screen_say(s, ROLE_BAD, "%s", evil);
	rig_type("z");
	assert_int_equal(screen_run(s, &v, NULL), VIEW_LEAVES);
}

static void text_stays_in_its_area(void **state)
{
	struct area a = { 2, 10, 3, 5 };

	(void)state;
	if (rig_screen(&s, (struct screen_options){ .is_ascii = true }, 24, 80) < 0)
		return;
	draw_begin();
	assert_int_equal(draw_text(a, 0, 0, ROLE_PLAIN, STR("abcdefgh")), 5);
	assert_int_equal(draw_text(a, 1, 3, ROLE_PLAIN, STR("\xe6\xbc\xa2\xe6\xbc\xa2")), 2);
	(void)draw_text(a, 3, 0, ROLE_PLAIN, STR("below"));
	(void)draw_text(a, -1, 0, ROLE_PLAIN, STR("above"));
	(void)draw_text(a, 2, 7, ROLE_PLAIN, STR("right"));
	assert_string_equal(rig_line(2), "          abcd~");
	assert_string_equal(rig_line(1), "");
	assert_string_equal(rig_line(4), "");
	assert_string_equal(rig_line(5), "");
}

/* --- wrapping --- */

static void lines_are_wrapped_at_words(void **state)
{
	static const char *const pieces[] = { "the quick", "brown", "incompreh",
					      "ensible",   "",      "end" };
	struct str rest = STR("the quick brown incomprehensible\n\nend"), piece;
	int n = 0;

	(void)state;
	for (; draw_next_piece(&rest, 9, &piece); n++) {
		assert_true(n < 6);
		assert_int_equal(piece.n, strlen(pieces[n]));
		assert_memory_equal(piece.p, pieces[n], piece.n);
	}
	assert_int_equal(n, 6);
	assert_int_equal(draw_wrapped_rows(STR("the quick brown incomprehensible\n\nend"), 9), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(keys_are_known_in_every_form, rig_end),
		cmocka_unit_test_teardown(an_idle_screen_is_over_with_everything_on_it, rig_end),
		cmocka_unit_test_teardown(marks_and_keys_stand_on_every_page, rig_end),
		cmocka_unit_test_teardown(a_read_only_screen_has_no_keys_that_change, rig_end),
		cmocka_unit_test_teardown(a_screen_that_became_too_small_says_so, rig_end),
		cmocka_unit_test_teardown(a_line_of_unknown_size_is_80_by_24, rig_end),
		cmocka_unit_test_teardown(a_strangers_text_does_nothing_to_the_terminal, rig_end),
		cmocka_unit_test_teardown(text_stays_in_its_area, rig_end),
		cmocka_unit_test_teardown(lines_are_wrapped_at_words, rig_end),
		/* The last one: a program that was asked to end stays so. */
		cmocka_unit_test_teardown(a_signal_of_the_keyboard_does_nothing_and_one_to_end_ends,
					  rig_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
