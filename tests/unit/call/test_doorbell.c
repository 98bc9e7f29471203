#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "call/doorbell.h"
#include "oom.h"

static struct addr at(const char *text)
{
	struct addr a = { 0 };

	assert_int_equal(addr_parse(str_of(text), 5060, &a), 0);
	return a;
}

static int rings(struct doorbell *d, const char *from, int times, int64_t now_ms)
{
	struct addr a = at(from);
	int heard = 0;

	for (int i = 0; i < times; i++)
		heard += doorbell_may_answer(d, &a, now_ms);
	return heard;
}

/* security.md F1. */
static void a_network_is_answered_five_times_a_second(void **state)
{
	CLEANUP(doorbell_free) struct doorbell *d = NULL;

	(void)state;
	if (doorbell_create(&d) < 0)
		return;
	assert_int_equal(rings(d, "198.51.100.7", 3, 1000), 3);
	assert_int_equal(rings(d, "198.51.100.200", 9, 1500), 2);
	assert_int_equal(rings(d, "198.51.100.7", 9, 1999), 0);
	assert_int_equal(rings(d, "198.51.100.7", 9, 2000), 3);
	assert_int_equal(rings(d, "2001:db8::1", 9, 1000), 5);
	assert_int_equal(rings(d, "2001:db8::ffff:1", 9, 1000), 0);
}

static void all_together_are_answered_five_hundred_times(void **state)
{
	CLEANUP(doorbell_free) struct doorbell *d = NULL;
	int heard = 0;

	(void)state;
	if (doorbell_create(&d) < 0)
		return;
	for (uint32_t i = 0; i < 4000; i++) {
		struct addr a = { .in = { .sin_family = AF_INET,
					  .sin_addr.s_addr = 1 | i << 8 | 7u << 24 } };

		heard += doorbell_may_answer(d, &a, 1000);
	}
	assert_int_equal(heard, DOORBELL_ALL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_network_is_answered_five_times_a_second),
		cmocka_unit_test(all_together_are_answered_five_hundred_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
