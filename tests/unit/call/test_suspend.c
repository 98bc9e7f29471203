#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "call/suspend.h"
#include "oom.h"

enum { MAX = 3, FOR_MS = 180000 };

static const struct addr here = { .in = { .sin_family = AF_INET, .sin_addr.s_addr = 0x070200c0 } };
static const struct addr there = { .in = { .sin_family = AF_INET, .sin_addr.s_addr = 0x080200c0 } };

static struct suspend *make(void)
{
	struct suspend *s = NULL;

	assert_int_equal(suspend_create(&s), 0);
	return s;
}

static void wrong(struct suspend *s, const char *user, int times, int64_t now)
{
	for (int i = 0; i < times; i++)
		suspend_wrong(s, str_of(user), &here, MAX, FOR_MS, now);
}

static bool is_on(const struct suspend *s, const char *user, const struct addr *source, int64_t now)
{
	return suspend_is_on(s, str_of(user), source, now);
}

/* SS_AUTHENTICATION_MAX_RETRY and SS_AUTHENTICATION_FAILED_SUSPEND. */
static void too_many_wrong_ones_suspend_this_user_here(void **state)
{
	CLEANUP(suspend_free) struct suspend *s = make();

	(void)state;
	wrong(s, "1001", MAX - 1, 1000);
	assert_false(is_on(s, "1001", &here, 1000));
	wrong(s, "1001", 1, 1000);
	assert_true(is_on(s, "1001", &here, 1000));
	assert_false(is_on(s, "1002", &here, 1000));
	assert_false(is_on(s, "1001", &there, 1000));
	/* what is tried meanwhile makes it no longer */
	wrong(s, "1001", 100, 1000 + FOR_MS - 1);
	assert_true(is_on(s, "1001", &here, 1000 + FOR_MS - 1));
	assert_false(is_on(s, "1001", &here, 1000 + FOR_MS));
	wrong(s, "1001", MAX - 1, 1000 + FOR_MS);
	assert_false(is_on(s, "1001", &here, 1000 + FOR_MS));
}

static void a_right_one_and_time_forgive(void **state)
{
	CLEANUP(suspend_free) struct suspend *s = make();

	(void)state;
	wrong(s, "1001", MAX - 1, 1000);
	suspend_right(s, STR("1001"), &here);
	wrong(s, "1001", MAX - 1, 1000);
	assert_false(is_on(s, "1001", &here, 1000));
	wrong(s, "1001", MAX - 1, 1000 + FOR_MS);
	assert_false(is_on(s, "1001", &here, 1000 + FOR_MS));
}

static void a_limit_of_none_suspends_nobody(void **state)
{
	CLEANUP(suspend_free) struct suspend *s = make();

	(void)state;
	for (int i = 0; i < 1000; i++)
		suspend_wrong(s, STR("1001"), &here, 0, FOR_MS, i);
	assert_false(is_on(s, "1001", &here, 1000));
}

/* A flood of names costs no more memory, and pushes out those that were touched longest ago. */
static void the_table_is_bounded(void **state)
{
	CLEANUP(suspend_free) struct suspend *s = make();
	char name[16];

	(void)state;
	wrong(s, "first", MAX, 0);
	for (int i = 0; i < 16 * SUSPEND_MAX; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		wrong(s, name, 1, 1000);
	}
	assert_false(is_on(s, "first", &here, 1));
	wrong(s, "last", MAX, 2000);
	assert_true(is_on(s, "last", &here, 2001));
}

enum { THREADS = 4, EACH = 1000 };

static void *guess(void *ctx)
{
	for (int i = 0; i < EACH; i++)
		suspend_wrong(ctx, STR("1001"), &here, THREADS * EACH / 4, FOR_MS, 1000);
	return NULL;
}

/* Workers count together: none of what they saw is lost. */
static void threads_count_together(void **state)
{
	CLEANUP(suspend_free) struct suspend *s = make();
	pthread_t thread[THREADS];

	(void)state;
	assert_true(THREADS * EACH / 4 <= SUSPEND_WRONG_MAX);
	for (int i = 0; i < THREADS * EACH / 4 - 1; i++)
		suspend_wrong(s, STR("1002"), &here, THREADS * EACH / 4, FOR_MS, 1000);
	assert_false(is_on(s, "1002", &here, 1000));
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, guess, s), 0);
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(thread[i], NULL);
	assert_true(is_on(s, "1001", &here, 1000));
}

static void one_life(void)
{
	CLEANUP(suspend_free) struct suspend *s = NULL;

	if (oom_refused(suspend_create(&s)))
		return;
	wrong(s, "1001", MAX, 0);
	assert_int_equal(is_on(s, "1001", &here, 1), !oom_hit());
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(one_life);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(too_many_wrong_ones_suspend_this_user_here),
		cmocka_unit_test(a_right_one_and_time_forgive),
		cmocka_unit_test(a_limit_of_none_suspends_nobody),
		cmocka_unit_test(the_table_is_bounded),
		cmocka_unit_test(threads_count_together),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
