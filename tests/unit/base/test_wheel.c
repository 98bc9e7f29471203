#include "base/wheel.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "unit.h"

struct item {
	struct timer timer;
	int64_t fired_ms; /* -1: not yet */
	int times;
};

static struct wheel wheel;

static void note(struct timer *t, int64_t now_ms)
{
	struct item *i = CONTAINER(t, struct item, timer);

	assert_false(timer_is_running(t));
	i->fired_ms = now_ms;
	i->times++;
}

static void item_init(struct item *i)
{
	*i = (struct item){ .fired_ms = -1 };
	timer_init(&i->timer, note);
}

/* Advances as a loop does: sleeps as long as it is told, at most to `until`. */
static void run(int64_t until_ms)
{
	while (wheel.now_ms < until_ms) {
		int64_t wait = wheel_wait_ms(&wheel, wheel.now_ms);
		int64_t to = wheel.now_ms + wait;

		wheel_advance(&wheel, wait < 0 || to > until_ms ? until_ms : to);
	}
}

static void a_timer_fires_at_its_millisecond_whatever_the_distance(void **state)
{
	static const int64_t start[] = { 0,          1,        63,        64,
					 4095,       262143,   16777215,  1073741823,
					 1073741824, 86400000, 5000000000 };
	static const int64_t delay[] = { 1,          2,          63,         64,         65,
					 4095,       4096,       4097,       32000,      262143,
					 262144,     16777216,   16777217,   1056964608, 1073741823,
					 1073741824, 1073741825, 1090519040, 1090519041, 3000000000,
					 30000000000 };

	(void)state;
	for (size_t s = 0; s < COUNT_OF(start); s++)
		for (size_t d = 0; d < COUNT_OF(delay); d++) {
			struct item i;

			wheel_init(&wheel, start[s]);
			item_init(&i);
			timer_start(&wheel, &i.timer, start[s] + delay[d]);
			run(start[s] + delay[d] - 1);
			assert_int_equal(i.times, 0);
			assert_true(timer_is_running(&i.timer));
			run(start[s] + delay[d]);
			assert_int_equal(i.fired_ms, start[s] + delay[d]);
			assert_int_equal(i.times, 1);
			assert_int_equal(wheel_wait_ms(&wheel, wheel.now_ms), -1);
		}
}

static void a_sleep_of_days_fires_all_that_was_due(void **state)
{
	struct item i[3];

	(void)state;
	wheel_init(&wheel, 1000);
	for (int k = 0; k < 3; k++)
		item_init(&i[k]);
	timer_start(&wheel, &i[0].timer, 1001);
	timer_start(&wheel, &i[1].timer, 4000000000);
	timer_start(&wheel, &i[2].timer, 8000000001);
	wheel_advance(&wheel, 8000000000);
	assert_int_equal(i[0].fired_ms, 8000000000);
	assert_int_equal(i[1].fired_ms, 8000000000);
	assert_int_equal(i[2].times, 0);
	assert_int_equal(wheel_wait_ms(&wheel, 8000000000), 1);
}

static void a_time_that_has_passed_fires_at_the_next_advance(void **state)
{
	struct item i;

	(void)state;
	wheel_init(&wheel, 1000);
	item_init(&i);
	timer_start(&wheel, &i.timer, -5);
	assert_int_equal(wheel_wait_ms(&wheel, 1000), 0);
	wheel_advance(&wheel, 1000);
	assert_int_equal(i.times, 1);
	timer_start(&wheel, &i.timer, 1000);
	wheel_advance(&wheel, 1000);
	assert_int_equal(i.times, 2);
}

static void a_clock_that_steps_back_fires_nothing_early(void **state)
{
	struct item i;

	(void)state;
	wheel_init(&wheel, 1000);
	item_init(&i);
	timer_start(&wheel, &i.timer, 1010);
	wheel_advance(&wheel, 900);
	assert_int_equal(i.times, 0);
	wheel_advance(&wheel, 1009);
	assert_int_equal(i.times, 0);
	wheel_advance(&wheel, 1010);
	assert_int_equal(i.times, 1);
}

static void a_stopped_timer_leaves_nothing_to_wait_for(void **state)
{
	struct item i;

	(void)state;
	wheel_init(&wheel, 0);
	item_init(&i);
	timer_stop(&i.timer); /* harmless */
	assert_int_equal(wheel_wait_ms(&wheel, 0), -1);
	timer_start(&wheel, &i.timer, 500);
	timer_stop(&i.timer);
	assert_false(timer_is_running(&i.timer));
	assert_int_equal(wheel_wait_ms(&wheel, 0), -1);
	wheel_advance(&wheel, 1000);
	assert_int_equal(i.times, 0);
}

static void a_restart_moves_the_timer(void **state)
{
	struct item i;

	(void)state;
	wheel_init(&wheel, 0);
	item_init(&i);
	timer_start(&wheel, &i.timer, 500);
	timer_start(&wheel, &i.timer, 32000);
	run(31999);
	assert_int_equal(i.times, 0);
	timer_start(&wheel, &i.timer, 40000);
	run(39999);
	assert_int_equal(i.times, 0);
	run(40000);
	assert_int_equal(i.times, 1);
}

static int order[8];
static int order_count;

static void note_order(struct timer *t, int64_t now_ms)
{
	(void)now_ms;
	order[order_count++] = (int)t->at_ms;
}

static void timers_fire_in_the_order_of_their_times(void **state)
{
	static const int at[] = { 5000, 70, 64, 3, 300000, 65, 4096, 2 };
	static const int sorted[] = { 2, 3, 64, 65, 70, 4096, 5000, 300000 };
	struct timer t[COUNT_OF(at)];

	(void)state;
	wheel_init(&wheel, 0);
	order_count = 0;
	for (size_t i = 0; i < COUNT_OF(at); i++) {
		timer_init(&t[i], note_order);
		timer_start(&wheel, &t[i], at[i]);
	}
	wheel_advance(&wheel, 1000000);
	assert_int_equal(order_count, COUNT_OF(at));
	assert_memory_equal(order, sorted, sizeof(sorted));
}

static struct item victim[3];

static void stop_or_restart_the_others(struct timer *t, int64_t now_ms)
{
	note(t, now_ms);
	timer_stop(&victim[0].timer);
	timer_start(&wheel, &victim[1].timer, now_ms + 5);
	timer_start(&wheel, t, now_ms); /* itself, at once: at the next advance */
}

static void a_callback_may_stop_and_restart_any_timer(void **state)
{
	struct item first;

	(void)state;
	wheel_init(&wheel, 0);
	item_init(&first);
	first.timer.on_expire = stop_or_restart_the_others;
	timer_start(&wheel, &first.timer, 10);
	for (int i = 0; i < 3; i++) {
		item_init(&victim[i]);
		timer_start(&wheel, &victim[i].timer, 10);
	}
	wheel_advance(&wheel, 10);
	assert_int_equal(first.times, 1);
	assert_int_equal(victim[0].times, 0);
	assert_int_equal(victim[1].times, 0);
	assert_int_equal(victim[2].times, 1);
	assert_int_equal(wheel_wait_ms(&wheel, 10), 0);

	timer_stop(&first.timer);
	wheel_advance(&wheel, 14);
	assert_int_equal(victim[1].times, 0);
	wheel_advance(&wheel, 15);
	assert_int_equal(victim[1].times, 1);
}

static void free_owner(struct timer *t, int64_t now_ms)
{
	(void)now_ms;
	free(CONTAINER(t, struct item, timer));
}

static void a_callback_may_free_the_owner(void **state)
{
	(void)state;
	wheel_init(&wheel, 0);
	for (int i = 0; i < 10; i++) {
		struct item *item = malloc(sizeof(*item));

		assert_non_null(item);
		item_init(item);
		item->timer.on_expire = free_owner;
		timer_start(&wheel, &item->timer, i / 2 * 50);
	}
	wheel_advance(&wheel, 1000);
	assert_int_equal(wheel_wait_ms(&wheel, 1000), -1);
}

/*
 * Against a model: each timer has a time at which it must fire, and an advance fires exactly those
 * due. Some callbacks restart themselves, or stop, or restart another.
 */
enum { MODEL = 400 };

struct model {
	struct item item[MODEL];
	int64_t due_ms[MODEL]; /* -1: not running */
	uint64_t seed;
	int64_t last_ms; /* of the slot order */
	bool in_advance;
};

static struct model *model;

/* Distances of all magnitudes, so that all levels and what is beyond them are used. */
static int64_t some_distance(uint64_t *seed)
{
	return (int64_t)chance(seed, (uint64_t)1 << chance(seed, 33));
}

static void model_start(size_t i, int64_t at_ms)
{
	model->due_ms[i] = at_ms;
	timer_start(&wheel, &model->item[i].timer, at_ms);
}

static void model_stop(size_t i)
{
	model->due_ms[i] = -1;
	timer_stop(&model->item[i].timer);
}

static void model_fires(struct timer *t, int64_t now_ms)
{
	size_t i = (size_t)(CONTAINER(t, struct item, timer) - model->item);
	size_t other = chance(&model->seed, MODEL);

	assert_true(model->in_advance);
	assert_true(model->due_ms[i] >= 0);
	assert_true(model->due_ms[i] <= now_ms);
	assert_false(timer_is_running(t));
	assert_true(t->at_ms >= model->last_ms);
	model->last_ms = t->at_ms;
	model->due_ms[i] = -1;

	switch (chance(&model->seed, 5)) {
	case 0:
		model_start(i, now_ms + some_distance(&model->seed) + 1);
		break;
	case 1:
		model_stop(other);
		break;
	case 2:
		model_start(other, now_ms + some_distance(&model->seed) + 1);
		break;
	default:
		break;
	}
}

static void check_model(int64_t now_ms)
{
	int64_t wait = wheel_wait_ms(&wheel, now_ms), next = INT64_MAX;

	for (size_t i = 0; i < MODEL; i++) {
		assert_int_equal(timer_is_running(&model->item[i].timer), model->due_ms[i] >= 0);
		if (model->due_ms[i] < 0)
			continue;
		assert_true(model->due_ms[i] > now_ms); /* else it should have fired */
		if (model->due_ms[i] < next)
			next = model->due_ms[i];
	}
	if (next == INT64_MAX)
		assert_int_equal(wait, -1);
	else
		assert_true(wait >= 0 && wait <= next - now_ms);
}

static void random_timers_agree_with_a_list(void **state)
{
	CLEANUP(free) struct model *m = calloc(1, sizeof(*m));
	int64_t now = 1073741000; /* soon the time has one more digit than the wheel */

	(void)state;
	assert_non_null(m);
	model = m;
	m->seed = 7;
	wheel_init(&wheel, now);
	for (size_t i = 0; i < MODEL; i++) {
		timer_init(&m->item[i].timer, model_fires);
		m->due_ms[i] = -1;
	}
	for (int step = 0; step < 20000; step++) {
		size_t i = chance(&m->seed, MODEL);

		if (chance(&m->seed, 4) == 0)
			model_stop(i);
		else
			model_start(i, now + some_distance(&m->seed));

		/* At times several steps pass without an advance. */
		if (chance(&m->seed, 3) == 0)
			continue;
		int64_t wait = wheel_wait_ms(&wheel, now);
		now += chance(&m->seed, 2) && wait > 0 ? wait : some_distance(&m->seed) / 8;
		m->last_ms = INT64_MIN;
		m->in_advance = true;
		wheel_advance(&wheel, now);
		m->in_advance = false;
		check_model(now);
	}
	for (size_t i = 0; i < MODEL; i++)
		model_stop(i);
	assert_int_equal(wheel_wait_ms(&wheel, now), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_timer_fires_at_its_millisecond_whatever_the_distance),
		cmocka_unit_test(a_sleep_of_days_fires_all_that_was_due),
		cmocka_unit_test(a_time_that_has_passed_fires_at_the_next_advance),
		cmocka_unit_test(a_clock_that_steps_back_fires_nothing_early),
		cmocka_unit_test(a_stopped_timer_leaves_nothing_to_wait_for),
		cmocka_unit_test(a_restart_moves_the_timer),
		cmocka_unit_test(timers_fire_in_the_order_of_their_times),
		cmocka_unit_test(a_callback_may_stop_and_restart_any_timer),
		cmocka_unit_test(a_callback_may_free_the_owner),
		cmocka_unit_test(random_timers_agree_with_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
