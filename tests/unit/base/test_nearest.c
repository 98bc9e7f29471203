#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/nearest.h"

static const char *nearest_of(const char *given)
{
	static const char *const names[] = {
		"account", "rate", "rate-group", "routing-gateway", "mapping-gateway", "cdr",
	};
	struct nearest n = nearest_to(str_of(given));

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		nearest_try(&n, names[i]);
	return n.best ? n.best : "";
}

static void a_slip_of_the_finger_is_seen(void **state)
{
	(void)state;
	assert_string_equal(nearest_of("acount"), "account");
	assert_string_equal(nearest_of("acccount"), "account");
	assert_string_equal(nearest_of("acocunt"), "account");
	assert_string_equal(nearest_of("accoumt"), "account");
	assert_string_equal(nearest_of("crd"), "cdr");
	assert_string_equal(nearest_of("rate_group"), "rate-group");
	assert_string_equal(nearest_of("routing_gatway"), "routing-gateway");
	assert_string_equal(nearest_of("ACOUNT"), "account");
}

static void an_abbreviation_is_seen(void **state)
{
	(void)state;
	assert_string_equal(nearest_of("map"), "mapping-gateway");
	assert_string_equal(nearest_of("acc"), "account");
	assert_string_equal(nearest_of("Map"), "mapping-gateway");
}

static void what_is_far_from_all_is_none(void **state)
{
	char endless[4096];

	(void)state;
	assert_string_equal(nearest_of("zebra"), "");
	assert_string_equal(nearest_of(""), "");
	assert_string_equal(nearest_of("\xff\xfe\xfd\xfc"), "");
	memset(endless, 'a', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = 0;
	assert_string_equal(nearest_of(endless), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slip_of_the_finger_is_seen),
		cmocka_unit_test(an_abbreviation_is_seen),
		cmocka_unit_test(what_is_far_from_all_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
