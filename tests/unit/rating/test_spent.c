#include "rating/spent.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/entity.h"

enum { START = 200000 };

static struct spent make(void)
{
	struct spent s = { .cuts = false };

	spent_init(&s);
	return s;
}

static struct spent_limits none(void)
{
	struct spent_limits l;

	for (int w = 0; w < SPENT_WINDOWS; w++)
		l.most[w] = (struct spent_sum){ FIELD_ABSENT, FIELD_ABSENT };
	l.times = FIELD_ABSENT;
	return l;
}

static void assert_sum(const struct spent *s, enum spent_window w, int64_t money, int64_t calls)
{
	struct spent_sum sum;

	spent_sum(s, w, &sum);
	assert_int_equal(sum.money, money);
	assert_int_equal(sum.calls, calls);
}

static void a_window_is_never_shorter_than_its_name_says(void **state)
{
	static const struct {
		enum spent_window window;
		int64_t length_s, slot_s;
	} cases[] = { { SPENT_MINUTE, 60, 1 },
		      { SPENT_HOUR, 3600, 120 },
		      { SPENT_DAY, 86400, 1800 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int64_t at = START; at < START + 1800; at += 149) {
			struct spent s = make();

			spent_tell(&s, 7, 1);
			assert_true(spent_look(&s, at));
			(void)spent_look(&s, at + cases[i].length_s);
			assert_sum(&s, cases[i].window, 7, 1);
			(void)spent_look(&s, at + cases[i].length_s + cases[i].slot_s);
			assert_sum(&s, cases[i].window, 0, 0);
			spent_done(&s);
		}
	}
}

static void what_is_over_leaves_nothing(void **state)
{
	struct spent s = make();

	(void)state;
	assert_false(spent_look(&s, START));
	assert_true(spent_is_empty(&s));
	spent_tell(&s, 5, 0);
	assert_true(spent_look(&s, START));
	spent_tell(&s, -5, 0); /* it was less after all */
	assert_true(spent_look(&s, START + 1));
	assert_true(spent_is_empty(&s));
	assert_sum(&s, SPENT_DAY, 0, 0);
	spent_done(&s);
}

static void the_mark_stops_between_two_looks(void **state)
{
	struct spent s = make();
	struct spent_limits l = none();
	struct spent_excess x;

	(void)state;
	l.most[SPENT_HOUR].money = 10;
	spent_tell(&s, 4, 1);
	(void)spent_look(&s, START);
	spent_mark(&s, &l);
	spent_tell(&s, 5, 1);
	assert_false(spent_is_over(&s, true));
	spent_tell(&s, 1, 1);
	assert_true(spent_is_over(&s, true));
	(void)spent_look(&s, START + 1);
	assert_true(spent_exceeds(&s, &l, &x));
	assert_int_equal(x.window, SPENT_HOUR);
	assert_false(x.is_calls);
	spent_mark(&s, NULL);
	assert_false(spent_is_over(&s, true));
	l.most[SPENT_MINUTE].calls = 3;
	assert_true(spent_exceeds(&s, &l, &x));
	assert_true(x.window == SPENT_MINUTE && x.is_calls);
	spent_mark(&s, &l);
	assert_true(spent_is_over(&s, true));
	/* A minute later the calls are out of their window, the money is not. */
	(void)spent_look(&s, START + 70);
	assert_true(spent_exceeds(&s, &l, &x));
	assert_int_equal(x.window, SPENT_HOUR);
	spent_forget(&s);
	assert_false(spent_exceeds(&s, &l, &x));
	spent_mark(&s, &l);
	assert_false(spent_is_over(&s, true));
	spent_done(&s);
}

static void calls_that_are_not_answered_count_with_their_first_increment(void **state)
{
	struct spent s = make();
	struct spent_limits l = none();

	(void)state;
	assert_true(spent_take(&s, INT64_MAX / 4)); /* no limit */
	spent_give(&s, INT64_MAX / 4);
	l.most[SPENT_DAY].money = 10;
	spent_mark(&s, &l);
	assert_true(spent_take(&s, 6));
	assert_true(spent_take(&s, 6)); /* the limit was not reached yet */
	assert_false(spent_take(&s, 6));
	assert_true(spent_is_over(&s, true));
	assert_false(spent_is_over(&s, false));
	spent_give(&s, 6); /* it was busy */
	assert_true(spent_take(&s, 6));
	spent_tell(&s, 6, 1);
	spent_give(&s, 6);
	spent_tell(&s, 6, 1);
	spent_give(&s, 6);
	assert_true(spent_is_over(&s, false));
	(void)spent_look(&s, START);
	assert_sum(&s, SPENT_MINUTE, 12, 2);
	spent_done(&s);
}

static void limits_as_large_as_can_be_do_not_overflow(void **state)
{
	struct spent s = make();
	struct spent_limits l = none();

	(void)state;
	l.most[SPENT_DAY] = (struct spent_sum){ INT64_MAX, INT64_MAX };
	spent_tell(&s, 1, 1);
	(void)spent_look(&s, START);
	spent_mark(&s, &l);
	spent_tell(&s, 1, 1);
	(void)spent_look(&s, START + 1);
	spent_mark(&s, &l);
	assert_false(spent_is_over(&s, true));
	spent_done(&s);
}

static void it_outlives_a_restart(void **state)
{
	struct spent s = make(), t = make();
	struct buf text = BUF_INIT;

	(void)state;
	spent_tell(&s, 100, 2);
	(void)spent_look(&s, START);
	spent_tell(&s, 23, 1);
	(void)spent_look(&s, START + 3600 * 5);
	spent_save(&s, &text, START + 3600 * 5);
	assert_int_equal(buf_error(&text), 0);

	/* Another clock, ten minutes later. */
	assert_int_equal(spent_load(&t, buf_str(&text), 600, 180000), 0);
	assert_sum(&t, SPENT_MINUTE, 0, 0);
	assert_sum(&t, SPENT_HOUR, 23, 1);
	assert_sum(&t, SPENT_DAY, 123, 3);
	(void)spent_look(&t, 180000 + 3600 * 20);
	assert_sum(&t, SPENT_DAY, 23, 1);
	spent_done(&t);
	assert_int_equal(spent_load(&t, buf_str(&text), 2 * 86400, 180000), 0);
	assert_true(spent_is_empty(&t));
	buf_done(&text);
	spent_done(&s);
}

static void what_is_none_of_ours_is_not_loaded(void **state)
{
	static const char *const bad[] = { "x",
					   "1:2",
					   "1:2:3:4",
					   "-1:2:3",
					   "1:2:-3",
					   ";1:2",
					   "1:99999999999999999999:1",
					   ":::",
					   "300000:1:1" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct spent s = make();

		assert_int_equal(spent_load(&s, str_of(bad[i]), 0, START), -EINVAL);
		assert_true(spent_is_empty(&s));
	}
}

/* Ten calls of 1 an hour for some hours; then the last hour is what it is. */
static void so_many_times_the_average_hour_is_too_much(void **state)
{
	static const struct {
		int64_t hours, calls, money, times;
		int is; /* 0 no, 1 calls, 2 money */
	} cases[] = {
		{ 12, 29, 29, 3, 0 },    { 12, 30, 0, 3, 1 },  { 12, 30, 30, 3, 2 },
		{ 12, 19, 30, 3, 2 },    { 12, 19, 19, 2, 0 }, { 3, 1000, 1000, 2, 0 },
		{ 23, 1000, 0, 100, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct spent_limits l = none();
		struct spent_excess x = { .limit = -1 };
		struct spent s = make();
		int64_t now = START;

		l.times = cases[i].times;
		l.least = (struct spent_sum){ 20, 20 };
		for (int64_t n = 0; n < 2 * cases[i].hours; n++, now += 1800) {
			spent_tell(&s, 5, 5);
			if (!spent_look(&s, now))
				return; /* no memory */
		}
		now += 3600;
		spent_tell(&s, cases[i].money, cases[i].calls);
		(void)spent_look(&s, now);
		assert_int_equal(spent_exceeds(&s, &l, &x), cases[i].is != 0);
		if (cases[i].is) {
			assert_true(x.is_average);
			assert_int_equal(x.is_calls, cases[i].is == 1);
			assert_in_range(x.limit, 9, 10);
		}
		spent_done(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_window_is_never_shorter_than_its_name_says),
		cmocka_unit_test(what_is_over_leaves_nothing),
		cmocka_unit_test(the_mark_stops_between_two_looks),
		cmocka_unit_test(calls_that_are_not_answered_count_with_their_first_increment),
		cmocka_unit_test(limits_as_large_as_can_be_do_not_overflow),
		cmocka_unit_test(it_outlives_a_restart),
		cmocka_unit_test(what_is_none_of_ours_is_not_loaded),
		cmocka_unit_test(so_many_times_the_average_hour_is_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
