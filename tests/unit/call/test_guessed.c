/* Names at which very many guess: when they are, when they no longer are. */
#include "call/guessed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "oom.h"

enum { DAYS_2 = 2 * 86400, HOUR = 3600, SLOT = 120 };

static void wrong(struct guessed *g, struct str name, int times)
{
	while (times-- > 0)
		guessed_wrong(g, name);
}

static void a_hundred_in_an_hour_are_very_many(void **state)
{
	CLEANUP(guessed_free) struct guessed *g = NULL;
	int64_t now = DAYS_2 + 17;

	(void)state;
	assert_int_equal(guessed_create(&g), 0);
	guessed_look(g, now);
	wrong(g, STR("alice"), GUESSED_HOUR - 1);
	guessed_look(g, ++now);
	assert_false(guessed_is_many(g, STR("alice")));
	wrong(g, STR("alice"), 1);
	assert_false(guessed_is_many(g, STR("alice"))); /* as of the last look */
	guessed_look(g, ++now);
	assert_true(guessed_is_many(g, STR("alice")));
	assert_false(guessed_is_many(g, STR("bob")));
	assert_false(guessed_is_many(g, STR("")));
	guessed_look(g, now + HOUR + SLOT);
	assert_false(guessed_is_many(g, STR("alice")));
}

static void a_place_is_made_and_freed(void)
{
	CLEANUP(guessed_free) struct guessed *g = NULL;

	if (oom_refused(guessed_create(&g)))
		return;
	guessed_look(g, DAYS_2);
	guessed_wrong(g, STR("alice"));
	guessed_look(g, DAYS_2 + 1);
	assert_false(guessed_is_many(g, STR("alice")));
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_place_is_made_and_freed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hundred_in_an_hour_are_very_many),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
