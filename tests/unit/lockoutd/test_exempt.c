#include "rig.h"

#include <errno.h>
#include <string.h>

#include "lockoutd/exempt.h"
#include "lockoutd/host.h"
#include "lockoutd/link.h"
#include "oom.h"

static struct exempt *make(void)
{
	struct exempt *e = NULL;

	assert_int_equal(exempt_create(&e), 0);
	return e;
}

static bool says(struct exempt *e, enum origin from, const char *const *nets)
{
	exempt_begin(e, from);
	for (; *nets; nets++) {
		struct cidr net = network(*nets);

		assert_int_equal(exempt_add(e, &net, STR("gateway acme")), 0);
	}
	return exempt_end(e);
}

static const char *why(const struct exempt *e, const char *text)
{
	struct cidr net = banned(text);

	return exempt_why(e, &net);
}

static void an_exempt_address_has_a_reason(void **state)
{
	CLEANUP(exempt_free) struct exempt *e = make();

	(void)state;
	assert_true(
		says(e, ORIGIN_GATEWAY,
		     (const char *[]){ "198.51.100.0/24", "203.0.113.7", "2001:db8:5::9", NULL }));
	assert_string_equal(why(e, "198.51.100.255"), "gateway acme");
	assert_string_equal(why(e, "203.0.113.7"), "gateway acme");
	assert_null(why(e, "203.0.113.8"));
	assert_null(why(e, "198.51.101.0"));
	/* a ban of IPv6 is of a /64, so one exempt address in it is enough */
	assert_string_equal(why(e, "2001:db8:5::1234"), "gateway acme");
	assert_null(why(e, "2001:db8:6::9"));
	assert_string_equal(why(e, "127.0.0.1"), "loopback");
	assert_string_equal(why(e, "fe80::1"), "link local");
	assert_string_equal(why(e, "255.255.255.255"), "multicast and broadcast");
}

static void an_origin_replaces_what_it_said(void **state)
{
	CLEANUP(exempt_free) struct exempt *e = make();
	static const char *const first[] = { "198.51.100.1", "198.51.100.2", NULL };
	static const char *const second[] = { "198.51.100.3", NULL };
	static const char *const admin[] = { "192.0.2.1", NULL };

	(void)state;
	assert_true(says(e, ORIGIN_ADMIN, admin));
	assert_true(says(e, ORIGIN_GATEWAY, first));
	assert_false(says(e, ORIGIN_GATEWAY, first));
	assert_true(says(e, ORIGIN_GATEWAY, second));
	assert_null(why(e, "198.51.100.1"));
	assert_non_null(why(e, "198.51.100.3"));
	assert_non_null(why(e, "192.0.2.1"));
}

static void too_wide_a_network_is_not_taken(void **state)
{
	CLEANUP(exempt_free) struct exempt *e = make();
	struct cidr all = network("0.0.0.0/0"), half = network("2000::/3"),
		    ten = network("10.0.0.0/8");

	(void)state;
	exempt_begin(e, ORIGIN_GATEWAY);
	assert_int_equal(exempt_add(e, &all, STR("x")), -ERANGE);
	assert_int_equal(exempt_add(e, &half, STR("x")), -ERANGE);
	assert_int_equal(exempt_add(e, &ten, STR("x")), 0);
	assert_true(exempt_end(e));
	assert_null(why(e, "192.0.2.1"));
	assert_non_null(why(e, "10.255.255.255"));
}

static void put_span(struct buf *out, const struct span *s, size_t n)
{
	struct addr a, b;
	char one[ADDR_TEXT], two[ADDR_TEXT];

	assert_int_equal(addr_from_bytes(s->first, n, &a), 0);
	assert_int_equal(addr_from_bytes(s->last, n, &b), 0);
	buf_printf(out, "%s-%s ", addr_host_text(&a, one), addr_host_text(&b, two));
}

/* The kernel's ranges must not touch: what overlaps or follows on is one. */
static void ranges_are_sorted_and_apart(void **state)
{
	CLEANUP(exempt_free) struct exempt *e = make();
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	CLEANUP(free) struct span *s = NULL;
	size_t n = 0;

	(void)state;
	(void)says(e, ORIGIN_FIXED,
		   (const char *[]){ "192.0.2.1", "192.0.2.0", "192.0.2.4/30", "192.0.2.7",
				     "10.0.0.0/9", "10.128.0.0/9", "10.1.1.1", "255.255.255.255",
				     "2001:db8::/32", NULL });
	assert_int_equal(exempt_spans(e, FAMILY_V4, &s, &n), 0);
	for (size_t i = 0; i < n; i++)
		put_span(&text, &s[i], 4);
	assert_string_equal(buf_cstr(&text),
			    "10.0.0.0-10.255.255.255 192.0.2.0-192.0.2.1 "
			    "192.0.2.4-192.0.2.7 255.255.255.255-255.255.255.255 ");
	free(s);
	buf_clear(&text);
	assert_int_equal(exempt_spans(e, FAMILY_V6, &s, &n), 0);
	assert_int_equal(n, 1);
	put_span(&text, s, 16);
	assert_string_equal(buf_cstr(&text), "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff ");
}

static void resolvers_are_found_in_any_file(void **state)
{
	CLEANUP(exempt_free) struct exempt *e = make();

	(void)state;
	exempt_begin(e, ORIGIN_MACHINE);
	host_take_resolvers(e, STR("# nameserver 192.0.2.1\nsearch x\nnameserver\t192.0.2.2 \r\n"
				   "nameserver nonsense\nnameserver\nnameserver 2001:db8::53"));
	assert_true(exempt_end(e));
	assert_null(why(e, "192.0.2.1"));
	assert_string_equal(why(e, "192.0.2.2"), "name server");
	assert_string_equal(why(e, "2001:db8::53"), "name server");
}

static void gateways_come_from_switchd(void **state)
{
	CLEANUP(exempt_free) struct exempt *e = make();
	json_t *rows = json_pack("[{s:s s:s},{s:s s:s},{s:s},{s:i},n]", "address", "192.0.2.0/24",
				 "gateway", "acme-in", "address", "0.0.0.0/0", "gateway", "all",
				 "address", "rubbish", "address", 7);
	size_t bad = 0;

	(void)state;
	assert_non_null(rows);
	assert_true(link_take(e, rows, &bad));
	assert_int_equal(bad, 4);
	assert_string_equal(why(e, "192.0.2.9"), "gateway acme-in");
	assert_false(link_take(e, rows, &bad));
	json_decref(rows);
}

static void one_life(void)
{
	CLEANUP(exempt_free) struct exempt *e = NULL;
	CLEANUP(free) struct span *s = NULL;
	struct cidr net = network("192.0.2.0/24");
	size_t n;

	if (oom_refused(exempt_create(&e)))
		return;
	for (int i = 0; i < 40; i++) {
		exempt_begin(e, ORIGIN_GATEWAY);
		if (oom_refused(exempt_add(e, &net, STR("x")))) {
			assert_false(exempt_end(e));
			return;
		}
		(void)exempt_end(e);
	}
	(void)oom_refused(exempt_spans(e, FAMILY_V4, &s, &n));
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(one_life);
}

static void what_may_be_banned_is_an_address_or_a_network(void **state)
{
	static const struct {
		const char *given, *ban; /* NULL: too wide */
	} cases[] = {
		{ "192.0.2.7", "192.0.2.7/32" },
		{ "192.0.2.0/24", "192.0.2.0/24" },
		{ "10.0.0.0/8", "10.0.0.0/8" },
		{ "10.0.0.0/7", NULL },
		{ "2001:db8::7", "2001:db8::/64" },
		{ "2001:db8::/64", "2001:db8::/64" },
		{ "2001:db8::/48", "2001:db8::/48" },
		{ "2001:db8::/32", "2001:db8::/32" },
		{ "2000::/16", NULL },
		{ "2001:db8::8:0/112", "2001:db8::/64" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct cidr given = network(cases[i].given), ban, wanted;

		if (!cases[i].ban) {
			assert_int_equal(ban_of(&given, &ban), -ERANGE);
			continue;
		}
		wanted = network(cases[i].ban);
		assert_int_equal(ban_of(&given, &ban), 0);
		assert_int_equal(ban.bits, wanted.bits);
		assert_true(addr_eq_host(&ban.net, &wanted.net));
		assert_int_equal(ban_is_wide(&ban), ban.bits < (addr_is_v6(&ban.net) ? 64 : 32));
	}
}

static void a_network_grows_bit_by_bit(void **state)
{
	struct cidr net = banned("192.0.2.255"), v6 = banned("2001:db8:ffff:ffff::1");
	struct cidr eight = network("192.0.0.0/8"), first = network("192.0.2.254/31");

	(void)state;
	assert_true(ban_widen(&net));
	assert_true(net.bits == 31 && addr_eq_host(&net.net, &first.net));
	while (ban_widen(&net))
		continue;
	assert_true(net.bits == 8 && addr_eq_host(&net.net, &eight.net));
	while (ban_widen(&v6))
		continue;
	eight = network("2001:db8::/32");
	assert_true(v6.bits == 32 && addr_eq_host(&v6.net, &eight.net));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_exempt_address_has_a_reason),
		cmocka_unit_test(an_origin_replaces_what_it_said),
		cmocka_unit_test(too_wide_a_network_is_not_taken),
		cmocka_unit_test(ranges_are_sorted_and_apart),
		cmocka_unit_test(resolvers_are_found_in_any_file),
		cmocka_unit_test(gateways_come_from_switchd),
		cmocka_unit_test(memory_may_run_out),
		cmocka_unit_test(what_may_be_banned_is_an_address_or_a_network),
		cmocka_unit_test(a_network_grows_bit_by_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
