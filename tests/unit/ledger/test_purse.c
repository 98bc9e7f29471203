/* A purse never gives more than it has, however many ask at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/rand.h"
#include "ledger/purse.h"

static void a_hold_is_what_was_wanted_or_what_there_is(void **state)
{
	static const struct {
		money_t free, floor, need, want, held;
		bool is_given;
	} cases[] = {
		{ 1000, 0, 10, 100, 100, true }, { 50, 0, 10, 100, 50, true },
		{ 9, 0, 10, 100, 0, false },     { 10, 0, 10, 100, 10, true },
		{ -20, -50, 10, 20, 20, true },  { -45, -50, 10, 20, 0, false },
		{ 0, 0, 0, 0, 0, true },         { -1, 0, 0, 0, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct purse p = { .free = cases[i].free };
		money_t held = 0, available;
		bool r = purse_reserve(&p, cases[i].floor, cases[i].need, cases[i].want, &held,
				       &available);

		assert_int_equal(r, cases[i].is_given);
		assert_int_equal(held, cases[i].held);
		assert_int_equal(available, cases[i].free - cases[i].floor);
		assert_int_equal(atomic_load(&p.free), cases[i].free - held);
	}
}

/* Limits at the ends of money_t: nothing wraps round into plenty. */
static void the_ends_of_money_are_no_way_in(void **state)
{
	static const struct {
		money_t free, floor;
		bool is_given;
	} cases[] = {
		{ MONEY_MAX, -MONEY_MAX, true },
		{ -MONEY_MAX, MONEY_MAX, false },
		{ 0, MONEY_MAX, false },
		{ 0, -MONEY_MAX, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct purse p = { .free = cases[i].free };
		money_t held = 0, available = 0;

		assert_int_equal(purse_reserve(&p, cases[i].floor, 1, 100, &held, &available),
				 cases[i].is_given);
		assert_int_equal(held, cases[i].is_given ? 100 : 0);
		assert_int_equal(available > 0, cases[i].is_given);
	}
}

static void a_settled_hold_comes_back_less_its_charge(void **state)
{
	struct purse p = { .free = 900 };

	(void)state;
	purse_settle(&p, 100, 30);
	assert_int_equal(atomic_load(&p.free), 970);
}

static void lines_are_counted_to_their_limit(void **state)
{
	struct purse p = { 0 };

	(void)state;
	assert_true(purse_line_take(&p, 2));
	assert_true(purse_line_take(&p, 2));
	assert_false(purse_line_take(&p, 2));
	purse_line_give(&p);
	assert_true(purse_line_take(&p, 2));
	assert_true(purse_line_take(&p, 0));
}

/* By dice: whatever is asked, free stays at or above the floor, and is what there was less holds. */
static void a_purse_obeys_its_rules_whatever_is_asked(void **state)
{
	struct purse p = { .free = 5000 };
	money_t holds[8] = { 0 }, held_sum = 0, charged_sum = 0;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		money_t *h = &holds[rand_below(8)], got, available;
		money_t floor = -(money_t)rand_below(3) * 500, need = rand_below(50);
		money_t before = atomic_load(&p.free), want = need + rand_below(500);

		if (*h) {
			money_t charge = rand_below((uint32_t)*h + 1) / 8;

			purse_settle(&p, *h, charge);
			held_sum -= *h;
			charged_sum += charge;
			*h = 0;
		} else if (purse_reserve(&p, floor, need, want, &got, &available)) {
			assert_true(got >= need && got <= want && got <= available);
			assert_true(before - got >= floor);
			assert_true(got == want || before - got == floor);
			*h = got;
			held_sum += got;
		} else {
			assert_true(before - floor < need);
			assert_int_equal(available, before - floor);
		}
		assert_int_equal(atomic_load(&p.free), 5000 - held_sum - charged_sum);
		if (charged_sum > 4000) { /* a payment */
			purse_settle(&p, 0, -charged_sum);
			charged_sum = 0;
		}
	}
}

enum { RACERS = 4, ROUNDS = 20000, FLOOR = -500, LINES = 3 };

static struct purse race_purse;
static atomic_uint lines_up;

/* What went wrong is told at the end: a failed assert must not jump out of a thread. */
struct racer {
	pthread_t thread;
	money_t charged;
	bool went_wrong;
};

static void race_once(struct racer *r)
{
	money_t held, available;

	if (!purse_reserve(&race_purse, FLOOR, 3, 10, &held, &available))
		return;
	if (held < 3 || held > 10 || atomic_load(&race_purse.free) < FLOOR)
		r->went_wrong = true;
	purse_settle(&race_purse, held, held / 3);
	r->charged += held / 3;
}

static void *race(void *arg)
{
	for (int i = 0; i < ROUNDS; i++)
		race_once(arg);
	return NULL;
}

static void *race_for_lines(void *arg)
{
	struct racer *r = arg;

	for (int i = 0; i < ROUNDS; i++) {
		if (!purse_line_take(&race_purse, LINES))
			continue;
		if (atomic_fetch_add(&lines_up, 1) >= LINES)
			r->went_wrong = true;
		atomic_fetch_sub(&lines_up, 1);
		purse_line_give(&race_purse);
	}
	return NULL;
}

/* What they charged together. */
static money_t run_race(void *(*run)(void *))
{
	struct racer racer[RACERS] = { 0 };
	money_t sum = 0;

	for (int i = 0; i < RACERS; i++)
		assert_int_equal(pthread_create(&racer[i].thread, NULL, run, &racer[i]), 0);
	for (int i = 0; i < RACERS; i++) {
		assert_int_equal(pthread_join(racer[i].thread, NULL), 0);
		sum += racer[i].charged;
	}
	for (int i = 0; i < RACERS; i++)
		assert_false(racer[i].went_wrong);
	return sum;
}

static void racing_calls_never_pass_the_floor(void **state)
{
	(void)state;
	atomic_store(&race_purse.free, 1000);

	money_t charged = run_race(race);
	assert_int_equal(atomic_load(&race_purse.free), 1000 - charged);
	assert_true(atomic_load(&race_purse.free) >= FLOOR);
	/* and all of it was there to be had: what is left is less than was needed */
	assert_true(atomic_load(&race_purse.free) < FLOOR + 3);
}

static void racing_calls_never_have_more_lines_than_the_limit(void **state)
{
	(void)state;
	atomic_store(&race_purse.calls, 0);
	(void)run_race(race_for_lines);
	assert_int_equal(atomic_load(&race_purse.calls), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hold_is_what_was_wanted_or_what_there_is),
		cmocka_unit_test(the_ends_of_money_are_no_way_in),
		cmocka_unit_test(a_settled_hold_comes_back_less_its_charge),
		cmocka_unit_test(lines_are_counted_to_their_limit),
		cmocka_unit_test(a_purse_obeys_its_rules_whatever_is_asked),
		cmocka_unit_test(racing_calls_never_pass_the_floor),
		cmocka_unit_test(racing_calls_never_have_more_lines_than_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
