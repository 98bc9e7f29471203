#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dice.h"
#include "route/share.h"
#include "route/split.h"

enum { TURNS = 100 };

static struct split made(const char *list)
{
	struct split s;
	struct err err = ERR_INIT;

	if (split_parse(str_of(list), &s, &err) < 0)
		fail_msg("%s: %s", list, err.message);
	return s;
}

static void assert_parts(const char *list, int first, int second, int none)
{
	struct split s = made(list);
	int count[3] = { 0 };

	for (uint64_t turn = 7; turn < 7 + TURNS; turn++) {
		int at = split_at(&s, turn);

		count[at < 0 ? 2 : at]++;
	}
	assert_int_equal(count[0], first);
	assert_int_equal(count[1], second);
	assert_int_equal(count[2], none);
}

static void parts_are_exact_in_a_hundred_calls(void **state)
{
	(void)state;
	assert_parts("701:30,702:70", 30, 70, 0);
	assert_parts(" 1#:1 , *2:2 ", 1, 2, 97);
	assert_parts("7:100", 100, 0, 0);
	assert_parts(NULL, 0, 0, 100);
}

static void what_is_no_split_is_refused(void **state)
{
	static const char *const bad[] = { "701",     "701:",   ":30",         "701:0",
					   "701:101", "701:-1", "701:60,2:41", "701:1,701:1",
					   "12x:30",  "a:1",    "701:5.5",     "123456789:5" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct split s = { .count = -1 };
		struct err err = ERR_INIT;

		if (split_parse(str_of(bad[i]), &s, &err) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(s.count, -1);
		assert_string_equal(err.field, "split");
	}
}

static void each_place_comes_once(void **state)
{
	struct dice d = dice_new();

	(void)state;
	for (int round = 0; round < 200; round++) {
		int64_t total = dice_in(&d, 1, 500);
		uint64_t from = dice_u64(&d) >> 8;
		bool was[500] = { false };

		for (int64_t i = 0; i < total; i++) {
			int64_t place = share_place(from + (uint64_t)i, total);

			assert_in_range(place, 0, total - 1);
			assert_false(was[place]);
			was[place] = true;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_exact_in_a_hundred_calls),
		cmocka_unit_test(what_is_no_split_is_refused),
		cmocka_unit_test(each_place_comes_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
