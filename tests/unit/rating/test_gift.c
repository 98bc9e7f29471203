/* What packages give a call: in their order, by their steps, and never more than was held. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>

#include <cmocka.h>

#include "dice.h"
#include "rating/gift.h"

static const struct terms a_cent = { .price = MONEY_ONE / 100,
				     .unit_s = 1,
				     .first_s = 1,
				     .step_s = 1,
				     .tax_percent = 10 * MONEY_ONE,
				     .hold_time_precision_ms = 50 };

static void settled_is(const char *held, int64_t seconds, const char *used, int64_t billed_s,
		       money_t fee, money_t tax)
{
	char text[200];
	struct buf out = buf_fixed(text, sizeof(text));
	struct gift g;
	struct charge c;

	assert_int_equal(gift_parse(str_of(held), &g), 0);
	assert_int_equal(gift_settle(&g, &a_cent, seconds * 1000, &c), 0);
	gift_put(&g, &out);
	assert_string_equal(buf_cstr(&out) ? text : "", used);
	assert_int_equal(c.billed_s, billed_s);
	assert_int_equal(c.fee, fee);
	assert_int_equal(c.tax, tax);
}

static void seconds_are_given_in_order_and_the_rest_is_charged(void **state)
{
	(void)state;
	settled_is("", 10, "", 10, MONEY_ONE / 10, MONEY_ONE / 100);
	settled_is("7=60/60/1/0", 10, "7=10/10/1/0", 0, 0, 0);
	settled_is("7=60/60/1/0", 0, "", 0, 0, 0);
	settled_is("7=4/4/1/0 9=60/60/1/0", 10, "7=4/4/1/0 9=6/6/1/0", 0, 0, 0);
	settled_is("7=4/4/1/0 9=3/3/1/0", 10, "7=4/4/1/0 9=3/3/1/0", 3, 3 * MONEY_ONE / 100,
		   3 * MONEY_ONE / 1000);
}

static void a_volume_is_used_up_by_its_own_step(void **state)
{
	(void)state;
	settled_is("7=120/120/60/0", 61, "7=61/120/60/0", 0, 0, 0);
	settled_is("7=100/100/60/0", 61, "7=61/100/60/0", 0, 0, 0); /* the last step was short */
	settled_is("7=60/60/60/0 9=60/60/1/0", 61, "7=60/60/60/0 9=1/1/1/0", 0, 0, 0);
}

static void money_pays_the_fee_and_tax_is_of_the_rest(void **state)
{
	(void)state;
	settled_is("7=0/0/1/0.04", 10, "7=0/0/1/0.04", 10, 6 * MONEY_ONE / 100,
		   6 * MONEY_ONE / 1000);
	settled_is("7=0/0/1/3", 10, "7=0/0/1/0.1", 10, 0, 0);
	settled_is("7=4/4/1/0.02 9=0/0/1/5", 10, "7=4/4/1/0.02 9=0/0/1/0.04", 6, 0, 0);
}

static void what_is_no_such_text_is_refused(void **state)
{
	static const char *const bad[] = { "7",         "7=",          "7=1/1/1",
					   "7=2/1/1/0", "0=1/1/1/0",   "7=-1/1/1/0",
					   "7=1/1/0/0", "7=1/1/1/x",   "7=1/1/1/-1",
					   "x=1/1/1/0", "7=1/1/1/0/2", "7=1/1/1/0,8=1/1/1/0" };
	struct gift g;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(gift_parse(str_of(bad[i]), &g), -EINVAL);
	assert_int_equal(gift_parse(STR("1=1/1/1/0 2=1/1/1/0 3=1/1/1/0 4=1/1/1/0 5=1/1/1/0 "
					"6=1/1/1/0 7=1/1/1/0 8=1/1/1/0 9=1/1/1/0"),
				    &g),
			 -EINVAL);
	assert_int_equal(gift_parse(STR(""), &g), 0);
	assert_int_equal(g.count, 0);
}

/* Settled once more it is the same: that is how a record is replayed. And a longer call never takes less. */
static void a_settled_gift_settles_to_itself(void **state)
{
	struct dice d = dice_new();

	(void)state;
	for (int n = 0; n < 20000; n++) {
		struct gift held = { .count = (int)dice_in(&d, 0, GIFT_PARTS) }, once, twice, more;
		struct charge a, b, longer;
		struct given x, y;
		int64_t ms = dice_in(&d, 0, 400000);

		for (int i = 0; i < held.count; i++) {
			int64_t s = dice_in(&d, 0, 120);

			held.part[i] = (struct gift_part){ i + 1, s, s, dice_in(&d, 1, 60),
							   dice_in(&d, 0, MONEY_ONE) };
		}
		once = more = held;
		assert_int_equal(gift_settle(&once, &a_cent, ms, &a), 0);
		twice = once;
		assert_int_equal(gift_settle(&twice, &a_cent, ms, &b), 0);
		assert_memory_equal(&twice, &once, sizeof(once));
		assert_memory_equal(&a, &b, sizeof(a));
		assert_int_equal(gift_settle(&more, &a_cent, ms + dice_in(&d, 0, 5000), &longer),
				 0);
		gift_sum(&once, &x);
		gift_sum(&more, &y);
		assert_true(y.seconds >= x.seconds && longer.fee + y.money >= a.fee + x.money);
		for (int i = 0; i < held.count; i++)
			assert_true(once.part[i].seconds <= once.part[i].used_s &&
				    once.part[i].used_s <= held.part[i].used_s &&
				    once.part[i].money <= held.part[i].money);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seconds_are_given_in_order_and_the_rest_is_charged),
		cmocka_unit_test(a_volume_is_used_up_by_its_own_step),
		cmocka_unit_test(money_pays_the_fee_and_tax_is_of_the_rest),
		cmocka_unit_test(what_is_no_such_text_is_refused),
		cmocka_unit_test(a_settled_gift_settles_to_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
