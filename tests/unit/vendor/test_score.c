#include "vendor/score.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct score_window window = { .part_ms = 1000, .parts = 10 };

static void a_call_stays_as_long_as_the_window(void **state)
{
	struct scores all = { .slot = { NULL } };
	struct score *s = scores_get(&all, 7);
	struct score_sum sum;

	(void)state;
	assert_non_null(s);
	for (int t = 0; t < 100; t++) {
		score_tried(s, window, t % 2 == 0, t * 1000);
		score_rang(s, window, 50 + t % 2, t * 1000);
		score_talked(s, window, 20000, t * 1000);
		score_read(s, window, t * 1000 + 999, &sum);
		assert_int_equal(sum.tries, t < 10 ? t + 1 : 10);
	}
	assert_int_equal(score_asr(&sum), 50);
	assert_int_equal(score_acd_s(&sum), 20);
	assert_int_equal(score_pdd_ms(&sum), 50);
	score_read(s, window, 104 * 1000, &sum);
	assert_int_equal(sum.tries, 5);
	score_read(s, window, 100000 * 1000LL, &sum);
	assert_int_equal(
		sum.tries + sum.answered + sum.talks + sum.talk_ms + sum.rings + sum.pdd_ms, 0);
	scores_done(&all);
}

static void another_window_begins_empty(void **state)
{
	struct score_window other = { .part_ms = 500, .parts = SCORE_PARTS };
	struct scores all = { .slot = { NULL } };
	struct score *s = scores_get(&all, 7);
	struct score_sum sum;

	(void)state;
	assert_non_null(s);
	score_tried(s, window, true, 5000);
	score_read(s, other, 5001, &sum);
	assert_int_equal(sum.tries, 0);
	score_tried(s, other, true, 5002);
	score_read(s, other, 5002 + 59 * 500 - 2, &sum);
	assert_int_equal(sum.tries, 1);
	score_read(s, other, 5002 + 60 * 500, &sum);
	assert_int_equal(sum.tries, 0);
	score_read(NULL, other, 0, &sum);
	assert_int_equal(sum.tries, 0);
	scores_done(&all);
}

static int64_t rank(int64_t tries, int64_t answered, int64_t acd_s, int64_t pdd_ms)
{
	struct score_sum s = { .tries = tries,
			       .answered = answered,
			       .talks = answered,
			       .talk_ms = answered * acd_s * 1000,
			       .rings = tries,
			       .pdd_ms = tries * pdd_ms };

	return score_rank(&s);
}

static void better_ones_come_first_and_unknown_ones_between(void **state)
{
	const int64_t best_first[] = {
		rank(100, 60, 10, 9000), rank(100, 50, 120, 3000), rank(100, 50, 60, 1000),
		rank(100, 50, 60, 3000), rank(100, 30, 1, 90000),  rank(29, 0, 0, 0),
		rank(30, 8, 900, 10),    rank(100, 0, 0, 0),
	};

	(void)state;
	for (size_t i = 1; i < sizeof(best_first) / sizeof(best_first[0]); i++)
		assert_true(best_first[i - 1] < best_first[i]);
	assert_true(rank(29, 29, 5, 5) == rank(0, 0, 0, 0));
}

static void there_is_room_for_so_many_prefixes(void **state)
{
	struct scores all = { .slot = { NULL } };

	(void)state;
	for (uint64_t key = 1; key <= SCORES; key++)
		assert_non_null(scores_get(&all, key));
	assert_null(scores_get(&all, SCORES + 1));
	assert_null(scores_find(&all, SCORES + 1));
	assert_ptr_equal(scores_get(&all, 3), scores_find(&all, 3));
	assert_int_equal(score_turn(scores_find(&all, 3), true), 0);
	assert_int_equal(score_turn(scores_find(&all, 3), false), 0);
	assert_int_equal(score_turn(scores_find(&all, 3), false), 1);
	scores_done(&all);
}

enum { THREADS = 4, ROUNDS = 20000 };

static void *work(void *all)
{
	for (int i = 0; i < ROUNDS; i++)
		score_tried(scores_get(all, (uint64_t)i % 3 + 1), window, i % 2, i / 100);
	return NULL;
}

static void nothing_is_lost_between_threads(void **state)
{
	struct scores all = { .slot = { NULL } };
	pthread_t thread[THREADS];
	struct score_sum sum;
	int64_t tries = 0;

	(void)state;
	for (uint64_t key = 1; key <= 3; key++)
		assert_non_null(scores_get(&all, key));
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, work, &all), 0);
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(thread[i], NULL);
	for (uint64_t key = 1; key <= 3; key++) {
		score_read(scores_find(&all, key), window, 200, &sum);
		tries += sum.tries;
	}
	assert_int_equal(tries, THREADS * ROUNDS);
	scores_done(&all);
}

static void what_is_not_measured_needs_no_window(void **state)
{
	const struct score_window none = { 0 };
	struct score_sum sum;

	(void)state;
	score_tried(NULL, none, true, 1000);
	score_rang(NULL, none, 10, 1000);
	score_talked(NULL, none, 10, 1000);
	score_read(NULL, none, 1000, &sum);
	assert_int_equal(sum.tries, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_stays_as_long_as_the_window),
		cmocka_unit_test(another_window_begins_empty),
		cmocka_unit_test(better_ones_come_first_and_unknown_ones_between),
		cmocka_unit_test(there_is_room_for_so_many_prefixes),
		cmocka_unit_test(nothing_is_lost_between_threads),
		cmocka_unit_test(what_is_not_measured_needs_no_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
