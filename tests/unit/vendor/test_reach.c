#include "vendor/reach.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct step {
	int code; /* of a probe; 0: no answer */
	enum reach_health health;
	bool is_in_doubt;
};

static void follow(const struct step *s, size_t n)
{
	struct reach r = { 0 };

	for (size_t i = 0; i < n; i++) {
		reach_probed(&r, s[i].code, (ms_t)i + 1);
		assert_int_equal(r.health, s[i].health);
		assert_int_equal(reach_is_in_doubt(&r), s[i].is_in_doubt);
	}
}

#define FOLLOW(...)                                  \
	follow((const struct step[]){ __VA_ARGS__ }, \
	       sizeof((const struct step[]){ __VA_ARGS__ }) / sizeof(struct step))

static void any_final_answer_but_503_is_up(void **state)
{
	(void)state;
	static const int codes[] = { 200, 301, 401, 404, 405, 481, 500, 501, 504, 603 };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		FOLLOW({ codes[i], REACH_UP, false });
	FOLLOW({ 503, REACH_UNPROBED, true }, { 503, REACH_DOWN, false });
}

static void two_failures_in_a_row_are_down_and_two_answers_are_up(void **state)
{
	(void)state;
	FOLLOW({ 200, REACH_UP, false }, { 0, REACH_UP, true }, { 200, REACH_UP, false },
	       { 503, REACH_UP, true }, { 0, REACH_DOWN, false }, { 0, REACH_DOWN, false },
	       { 404, REACH_DOWN, true }, { 0, REACH_DOWN, false }, { 404, REACH_DOWN, true },
	       { 200, REACH_UP, false });
}

static void one_that_never_answered_stays_unprobed(void **state)
{
	(void)state;
	FOLLOW({ 0, REACH_UNPROBED, true }, { 0, REACH_UNPROBED, false },
	       { 0, REACH_UNPROBED, false }, { 200, REACH_UP, false }, { 0, REACH_UP, true },
	       { 0, REACH_DOWN, false });
	FOLLOW({ 503, REACH_UNPROBED, true }, { 0, REACH_DOWN, false });
}

static void what_is_forgotten_begins_anew(void **state)
{
	struct reach r = { 0 };

	(void)state;
	reach_probed(&r, 200, 1);
	reach_probed(&r, 0, 2);
	reach_probed(&r, 0, 3);
	assert_int_equal(r.health, REACH_DOWN);
	assert_int_equal(r.since_ms, 3);
	reach_forget(&r, 4);
	assert_int_equal(r.health, REACH_UNPROBED);
	reach_probed(&r, 0, 5);
	reach_probed(&r, 0, 6);
	assert_int_equal(r.health, REACH_UNPROBED);
}

static void calls_go_where_it_is_not_down_and_where_we_are_registered(void **state)
{
	struct reach r = { 0 };

	(void)state;
	assert_true(reach_is_open(&r, false));
	assert_false(reach_is_open(&r, true));
	reach_set_place(&r, REACH_REGISTERED, 0, 7);
	assert_true(reach_is_open(&r, true));
	assert_int_equal(r.place_since_ms, 7);
	reach_set_place(&r, REACH_REGISTERED, 503, 9);
	assert_true(reach_is_open(&r, true));
	assert_int_equal(r.place_since_ms, 7);
	reach_set_place(&r, REACH_REFUSED, 403, 10);
	assert_false(reach_is_open(&r, true));
	reach_set_place(&r, REACH_REGISTERED, 0, 11);
	reach_probed(&r, 503, 12);
	reach_probed(&r, 503, 13);
	assert_false(reach_is_open(&r, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_final_answer_but_503_is_up),
		cmocka_unit_test(two_failures_in_a_row_are_down_and_two_answers_are_up),
		cmocka_unit_test(one_that_never_answered_stays_unprobed),
		cmocka_unit_test(what_is_forgotten_begins_anew),
		cmocka_unit_test(calls_go_where_it_is_not_down_and_where_we_are_registered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
