#include "transport/outside.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct addr parse(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(str_of(text), 0, &a), 0);
	return a;
}

static int add(struct outside *o, const char *text)
{
	struct addr a = parse(text);

	return outside_add(o, &a);
}

static void who_is_outside_is_told_the_address_outside(void **state)
{
	static const struct {
		const char *peer, *ours, *shown;
	} cases[] = {
		{ "198.51.100.1:5060", "10.0.0.5:5070", "203.0.113.9:5070" },
		{ "10.0.0.9:5060", "10.0.0.5:5070", "10.0.0.5:5070" },
		{ "100.64.0.1:5060", "10.0.0.5:5070", "10.0.0.5:5070" },
		{ "127.0.0.1:5060", "127.0.0.1:5070", "127.0.0.1:5070" },
		/* This machine itself, whatever its network is. */
		{ "192.0.2.10:6000", "192.0.2.10:5060", "192.0.2.10:5060" },
		{ "192.0.2.11:6000", "192.0.2.10:5060", "203.0.113.9:5060" },
		/* No NAT in this family. */
		{ "[2001:db8::1]:5060", "[2001:db8::5]:5070", "[2001:db8::5]:5070" },
	};
	struct outside o = { 0 };

	(void)state;
	assert_int_equal(add(&o, "203.0.113.9"), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr peer = parse(cases[i].peer), ours = parse(cases[i].ours);
		char text[ADDR_TEXT];

		outside_show(&o, &peer, &ours);
		assert_string_equal(addr_text(&ours, text), cases[i].shown);
	}
}

static void without_a_nat_nothing_changes(void **state)
{
	struct outside none = { 0 };
	struct addr peer = parse("198.51.100.1:5060"), ours = parse("10.0.0.5:5060"), was = ours;

	(void)state;
	outside_show(&none, &peer, &ours);
	assert_true(addr_eq(&ours, &was));
	outside_show(NULL, &peer, &ours);
	assert_true(addr_eq(&ours, &was));
	assert_false(outside_has(&none, &ours));
	assert_false(outside_has(NULL, &ours));
}

static void one_address_of_each_family_that_peers_can_send_to(void **state)
{
	static const char *const bad[] = { "0.0.0.0",     "127.0.0.1", "10.1.2.3", "224.0.0.1",
					   "169.254.1.1", "::",        "fd00::1",  "fe80::1" };
	struct outside o = { 0 };
	struct addr a = parse("[2001:db8::9]:5060");

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(add(&o, bad[i]), -EINVAL);
	assert_int_equal(add(&o, "203.0.113.9"), 0);
	assert_int_equal(add(&o, "203.0.113.10"), -EEXIST);
	assert_int_equal(add(&o, "2001:db8::9"), 0);
	assert_true(outside_has(&o, &a));
	a = parse("203.0.113.10:5060");
	assert_false(outside_has(&o, &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_outside_is_told_the_address_outside),
		cmocka_unit_test(without_a_nat_nothing_changes),
		cmocka_unit_test(one_address_of_each_family_that_peers_can_send_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
