#include "tui/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

static const char *const columns[] = { "name", "fee", "memo", NULL };
static const char *const keys[] = { "name", NULL };
static struct screen *s;
static struct table *t;

static json_t *rows(const char *text)
{
	return json_loads(text, 0, NULL);
}

static int begin(const char *text)
{
	int r = rig_screen(&s, (struct screen_options){ .is_ascii = true }, 24, 80);

	if (r == 0)
		r = table_create(&t, columns, keys, NULL);
	return r == 0 ? table_set_rows(t, rows(text)) : r;
}

static int end(void **state)
{
	t = table_free(t);
	return rig_end(state);
}

static const char *selected(void)
{
	const char *name = json_string_value(json_object_get(table_selected(t), "name"));

	return name ? name : "";
}

static void draw(int height, int width)
{
	draw_begin();
	table_draw(t, (struct area){ 0, 0, height, width });
}

static const char four[] = "[{\"name\":\"a\",\"fee\":1,\"memo\":\"one\"},"
			   "{\"name\":\"b\",\"fee\":22,\"memo\":null},"
			   "{\"name\":\"cc\",\"fee\":3,\"memo\":\"\\u001b[2J\"},"
			   "{\"name\":\"d\",\"fee\":null,\"memo\":\"Fore\"}]";

static void columns_are_aligned_and_numbers_stand_right(void **state)
{
	(void)state;
	if (begin(four) == 0) {
		draw(10, 40);
		assert_string_equal(rig_line(0), "name  fee  memo");
		assert_string_equal(rig_line(1), "a       1  one");
		assert_string_equal(rig_line(2), "b      22");
		assert_string_equal(rig_line(3), "cc      3  ?[2J");
		assert_string_equal(rig_line(9), "1 of 4");
	}
}

static void the_selection_moves_and_the_rows_with_it(void **state)
{
	(void)state;
	if (begin(four) == 0) {
		draw(4, 40); /* two rows */
		assert_string_equal(selected(), "a");
		assert_true(table_key(t, K_UP));
		assert_string_equal(selected(), "a");
		assert_true(table_key(t, K_DOWN) && table_key(t, K_DOWN));
		draw(4, 40);
		assert_string_equal(selected(), "cc");
		assert_string_equal(rig_line(1), "b      22");
		assert_true(table_key(t, K_END));
		assert_string_equal(selected(), "d");
		assert_true(table_key(t, K_PAGE_UP));
		assert_string_equal(selected(), "b");
		assert_true(table_key(t, K_HOME));
		assert_string_equal(selected(), "a");
		assert_false(table_key(t, 'x'));
	}
}

static void new_rows_keep_the_selection_by_its_key(void **state)
{
	(void)state;
	if (begin(four) == 0) {
		(void)table_key(t, K_DOWN);
		assert_int_equal(table_set_rows(t, rows("[{\"name\":\"x\"},{\"name\":\"y\"},"
							"{\"name\":\"b\"}]")),
				 0);
		assert_string_equal(selected(), "b");
		assert_int_equal(table_set_rows(t, rows("[{\"name\":\"x\"}]")), 0);
		assert_string_equal(selected(), "x");
		assert_int_equal(table_set_rows(t, rows("[]")), 0);
		assert_null(table_selected(t));
		draw(6, 40);
		assert_true(rig_has("nothing here"));
	}
}

static void a_filter_leaves_what_holds_its_text(void **state)
{
	(void)state;
	if (begin(four) == 0) {
		assert_int_equal(table_set_filter(t, STR("foR")), 0);
		assert_int_equal(table_visible(t), 1);
		assert_int_equal(table_count(t), 4);
		assert_string_equal(selected(), "d");
		draw(6, 60);
		assert_string_equal(rig_line(5), "1 of 1 with \"foR\" (4 in all)");
		assert_int_equal(table_set_filter(t, STR("nobody")), 0);
		assert_null(table_selected(t));
		assert_int_equal(table_set_filter(t, STR("")), 0);
		assert_int_equal(table_visible(t), 4);
	}
}

static void what_does_not_fit_comes_with_right(void **state)
{
	(void)state;
	if (begin("[{\"name\":\"aaaa\",\"fee\":123456,\"memo\":\"one two\"}]") == 0) {
		draw(6, 11);
		assert_string_equal(rig_line(1), "aaaa");
		assert_true(table_key(t, K_RIGHT));
		draw(6, 11);
		assert_string_equal(rig_line(1), "aaaa  one ~");
		assert_true(table_key(t, K_LEFT));
		draw(6, 30);
		assert_string_equal(rig_line(1), "aaaa  123456  one two");
	}
}

static const struct {
	const char *text;
} odd[] = { { "[]" },
	    { "[1,\"x\",null,[]]" },
	    { "[{\"name\":{\"a\":[1]},\"fee\":1.5}]" },
	    { "{}" },
	    { "[{}]" } };

static void odd_answers_are_drawn_too(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		if (begin(odd[i].text) == 0) {
			draw(6, 40);
			assert_memory_equal(rig_line(0), "name", 4);
			(void)table_key(t, K_DOWN);
			draw(3, 1);
		}
		(void)end(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(columns_are_aligned_and_numbers_stand_right, end),
		cmocka_unit_test_teardown(the_selection_moves_and_the_rows_with_it, end),
		cmocka_unit_test_teardown(new_rows_keep_the_selection_by_its_key, end),
		cmocka_unit_test_teardown(a_filter_leaves_what_holds_its_text, end),
		cmocka_unit_test_teardown(what_does_not_fit_comes_with_right, end),
		cmocka_unit_test_teardown(odd_answers_are_drawn_too, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
