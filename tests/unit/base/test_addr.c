#include "base/addr.h"

#include <errno.h>
#include <string.h>

#include "unit.h"

static struct addr parse(const char *z)
{
	struct addr a;

	assert_int_equal(addr_parse(str_of(z), 5060, &a), 0);
	return a;
}

static void an_address_is_read_and_printed(void **state)
{
	static const struct {
		const char *in, *text, *host;
	} row[] = {
		{ "192.0.2.1", "192.0.2.1:5060", "192.0.2.1" },
		{ "192.0.2.1:5062", "192.0.2.1:5062", "192.0.2.1" },
		{ "0.0.0.0:0", "0.0.0.0:0", "0.0.0.0" },
		{ "255.255.255.255:65535", "255.255.255.255:65535", "255.255.255.255" },
		{ "2001:db8::1", "[2001:db8::1]:5060", "2001:db8::1" },
		{ "[2001:DB8:0::1]", "[2001:db8::1]:5060", "2001:db8::1" },
		{ "[2001:db8::1]:5062", "[2001:db8::1]:5062", "2001:db8::1" },
		{ "::", "[::]:5060", "::" },
		{ "[::]:1", "[::]:1", "::" },
		{ "::ffff:192.0.2.1", "192.0.2.1:5060", "192.0.2.1" },
		{ "[::ffff:c000:201]:5062", "192.0.2.1:5062", "192.0.2.1" },
		{ "2001:db8:1111:2222:3333:4444:5555:6666",
		  "[2001:db8:1111:2222:3333:4444:5555:6666]:5060",
		  "2001:db8:1111:2222:3333:4444:5555:6666" },
		{ "64:ff9b::255.255.255.255", "[64:ff9b::ffff:ffff]:5060", "64:ff9b::ffff:ffff" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		struct addr a = parse(row[i].in);
		char out[ADDR_TEXT];

		assert_string_equal(addr_text(&a, out), row[i].text);
		assert_string_equal(addr_host_text(&a, out), row[i].host);
		assert_int_equal(addr_is_v6(&a), row[i].text[0] == '[');
		assert_int_equal(addr_len(&a), addr_is_v6(&a) ? sizeof(struct sockaddr_in6)
							      : sizeof(struct sockaddr_in));
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const struct str row[] = {
		STR_INIT(""),
		STR_INIT(":"),
		STR_INIT(":5060"),
		STR_INIT("192.0.2"),
		STR_INIT("192.0.2.256"),
		STR_INIT("192.0.2.01"),
		STR_INIT("192.0.2.1."),
		STR_INIT("192.0.2.1:"),
		STR_INIT("192.0.2.1:65536"),
		STR_INIT("192.0.2.1:-1"),
		STR_INIT("192.0.2.1:+5"),
		STR_INIT("192.0.2.1:5060 "),
		STR_INIT("192.0.2.1:000005060"),
		STR_INIT(" 192.0.2.1"),
		STR_INIT("192.0.2.1\0"),
		STR_INIT("192.0.2.1\0:5060"),
		STR_INIT("0x7f.1"),
		STR_INIT("2130706433"),
		STR_INIT("localhost"),
		STR_INIT("[192.0.2.1]"),
		STR_INIT("[192.0.2.1]:5060"),
		STR_INIT("["),
		STR_INIT("[]"),
		STR_INIT("[]:5060"),
		STR_INIT("[::1"),
		STR_INIT("::1]"),
		STR_INIT("[::1]5060"),
		STR_INIT("[::1]:"),
		STR_INIT("[::1]:x"),
		STR_INIT("[::1]:5060:5060"),
		STR_INIT("[[::1]]"),
		STR_INIT("fe80::1%eth0"),
		STR_INIT("1:2:3:4:5:6:7:8:9"),
		STR_INIT("::1::"),
		STR_INIT("12345::1"),
		STR_INIT("192.0.2.1/24"),
		STR_INIT("aaaa:aaaa:aaaa:aaaa:aaaa:aaaa:aaaa:aaaa:aaaa:aaaa:aaaa:aaaa:aaaa:aaaa"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		struct addr a;

		memset(&a, 0x55, sizeof(a));
		assert_int_equal(addr_parse(row[i], 5060, &a), -EINVAL);
		assert_int_equal(a.in.sin_port, 0x5555);
	}
}

static void the_kernels_addresses_are_taken(void **state)
{
	struct sockaddr_storage ss = { .ss_family = AF_INET6 };
	struct sockaddr_in6 in6;
	struct addr a, from;
	char out[ADDR_TEXT];

	(void)state;
	from = parse("192.0.2.1:5062");
	assert_int_equal(addr_from_sa(&from.sa, sizeof(from.in), &a), 0);
	assert_true(addr_eq(&a, &from));
	assert_int_equal(addr_from_sa(&from.sa, sizeof(from.in) - 1, &a), -EAFNOSUPPORT);

	from = parse("[2001:db8::1]:5062");
	from.in6.sin6_flowinfo = 7;
	from.in6.sin6_scope_id = 3;
	assert_int_equal(addr_from_sa(&from.sa, sizeof(from.in6), &a), 0);
	assert_true(addr_eq(&a, &from));
	assert_int_equal(a.in6.sin6_scope_id, 3); /* needed to answer */
	assert_int_equal(a.in6.sin6_flowinfo, 0);
	assert_int_equal(addr_from_sa(&from.sa, sizeof(from.in6) - 1, &a), -EAFNOSUPPORT);

	memcpy(&in6, &ss, sizeof(in6));
	memcpy(&in6.sin6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01", 16);
	in6.sin6_port = htons(99);
	memcpy(&ss, &in6, sizeof(in6));
	assert_int_equal(addr_from_sa((struct sockaddr *)&ss, sizeof(ss), &a), 0);
	assert_string_equal(addr_text(&a, out), "192.0.2.1:99");

	ss.ss_family = AF_UNIX;
	assert_int_equal(addr_from_sa((struct sockaddr *)&ss, sizeof(ss), &a), -EAFNOSUPPORT);
	assert_int_equal(addr_from_sa((struct sockaddr *)&ss, 0, &a), -EAFNOSUPPORT);
}

static void an_unset_address_is_nothing(void **state)
{
	struct addr none = { 0 }, any = parse("0.0.0.0:0");
	char out[ADDR_TEXT];

	(void)state;
	assert_false(addr_is_set(&none));
	assert_true(addr_is_set(&any));
	assert_int_equal(addr_len(&none), 0);
	assert_string_equal(addr_text(&none, out), "");
	assert_string_equal(addr_host_text(&none, out), "");
	assert_false(addr_eq(&none, &any));
	assert_true(addr_eq(&none, &none));
	assert_false(addr_is_any(&none));
	assert_false(addr_is_private(&none));
}

static void addresses_are_compared_with_and_without_port(void **state)
{
	struct addr a = parse("192.0.2.1:1"), b = parse("192.0.2.1:2"), c = parse("192.0.2.2:1");
	struct addr v6 = parse("[2001:db8::1]:1"), mapped = parse("[::ffff:192.0.2.1]:1");

	(void)state;
	assert_false(addr_eq(&a, &b));
	assert_true(addr_eq_host(&a, &b));
	assert_false(addr_eq_host(&a, &c));
	assert_false(addr_eq_host(&a, &v6));
	assert_true(addr_eq(&a, &mapped));
	assert_int_equal(addr_hash(&a), addr_hash(&mapped));
	assert_int_not_equal(addr_hash(&a), addr_hash(&b));
	assert_int_equal(addr_hash_host(&a), addr_hash_host(&b));
	assert_int_not_equal(addr_hash_host(&a), addr_hash_host(&c));
	addr_set_port(&b, 1);
	assert_true(addr_eq(&a, &b));
	assert_int_equal(addr_hash(&a), addr_hash(&b));
	addr_set_port(&v6, 65535);
	assert_int_equal(addr_port(&v6), 65535);
}

static void special_addresses_are_known(void **state)
{
	static const struct {
		const char *in;
		char kind; /* a any, l loopback, m multicast, p private, - none of them */
	} row[] = {
		{ "0.0.0.0", 'a' },
		{ "::", 'a' },
		{ "0.0.0.1", '-' },
		{ "127.0.0.1", 'l' },
		{ "127.255.255.255", 'l' },
		{ "128.0.0.0", '-' },
		{ "::1", 'l' },
		{ "::2", '-' },
		{ "224.0.0.1", 'm' },
		{ "239.255.255.255", 'm' },
		{ "223.255.255.255", '-' },
		{ "240.0.0.0", '-' },
		{ "255.255.255.255", 'm' },
		{ "255.255.255.254", '-' },
		{ "ff02::1", 'm' },
		{ "fe00::1", '-' },
		{ "10.0.0.0", 'p' },
		{ "10.255.255.255", 'p' },
		{ "11.0.0.0", '-' },
		{ "172.15.255.255", '-' },
		{ "172.16.0.0", 'p' },
		{ "172.31.255.255", 'p' },
		{ "172.32.0.0", '-' },
		{ "192.168.0.1", 'p' },
		{ "192.169.0.0", '-' },
		{ "100.63.255.255", '-' },
		{ "100.64.0.0", 'p' },
		{ "100.127.255.255", 'p' },
		{ "100.128.0.0", '-' },
		{ "169.254.1.1", 'p' },
		{ "fe80::1", 'p' },
		{ "febf::1", 'p' },
		{ "fec0::1", '-' },
		{ "fc00::1", 'p' },
		{ "fdff::1", 'p' },
		{ "2001:db8::1", '-' },
		{ "::ffff:10.0.0.1", 'p' },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		struct addr a = parse(row[i].in);

		assert_int_equal(addr_is_any(&a), row[i].kind == 'a');
		assert_int_equal(addr_is_loopback(&a), row[i].kind == 'l');
		assert_int_equal(addr_is_multicast(&a), row[i].kind == 'm');
		assert_int_equal(addr_is_private(&a), row[i].kind == 'p');
	}
}

static void a_network_has_the_addresses_in_it(void **state)
{
	static const struct {
		const char *net, *addr;
		bool has;
	} row[] = {
		{ "192.0.2.0/24", "192.0.2.0:1", true },
		{ "192.0.2.0/24", "192.0.2.255:1", true },
		{ "192.0.2.0/24", "192.0.3.0:1", false },
		{ "192.0.2.128/25", "192.0.2.127:1", false },
		{ "192.0.2.128/25", "192.0.2.128:1", true },
		{ "0.0.0.0/0", "255.255.255.255:1", true },
		{ "0.0.0.0/0", "[2001:db8::1]:1", false },
		{ "192.0.2.1", "192.0.2.1:1", true },
		{ "192.0.2.1", "192.0.2.2:1", false },
		{ "192.0.2.1/32", "192.0.2.1:1", true },
		{ "192.0.2.1:5060", "192.0.2.1:5060", true },
		{ "192.0.2.1:5060", "192.0.2.1:5061", false },
		{ "192.0.2.0/24:5060", "192.0.2.9:5060", true },
		{ "192.0.2.0/24:5060", "192.0.2.9:5061", false },
		{ "2001:db8::/32", "[2001:db8:ffff::1]:1", true },
		{ "2001:db8::/32", "[2001:db9::1]:1", false },
		{ "2001:db8::/33", "[2001:db8:7fff::1]:1", true },
		{ "2001:db8::/33", "[2001:db8:8000::1]:1", false },
		{ "2001:db8::/32:5060", "[2001:db8::1]:5060", true },
		{ "2001:db8::/32:5060", "[2001:db8::1]:5061", false },
		{ "[2001:db8::1]:5060", "[2001:db8::1]:5060", true },
		{ "2001:db8::1", "[2001:db8::1]:5060", true },
		{ "::/0", "[2001:db8::1]:5060", true },
		{ "::/0", "192.0.2.1:1", false },
		{ "::ffff:192.0.2.0/120", "192.0.2.77:1", true },
		{ "192.0.2.0/24", "[::ffff:192.0.2.77]:1", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		struct addr a = parse(row[i].addr);
		struct cidr c;

		assert_int_equal(cidr_parse(str_of(row[i].net), &c), 0);
		assert_int_equal(cidr_has(&c, &a), row[i].has);
	}
}

static void what_is_no_network_is_refused(void **state)
{
	static const struct str row[] = {
		STR_INIT(""),
		STR_INIT("/"),
		STR_INIT("/24"),
		STR_INIT("192.0.2.0/"),
		STR_INIT("192.0.2.0/33"),
		STR_INIT("192.0.2.0/-1"),
		STR_INIT("192.0.2.0/0024"),
		STR_INIT("192.0.2.0/24/24"),
		STR_INIT("192.0.2.0/24:"),
		STR_INIT("192.0.2.0/24:65536"),
		STR_INIT("192.0.2.0/24:x"),
		STR_INIT("192.0.2.0:5060/24"),
		STR_INIT("192.0.2.1/24"), /* host bits */
		STR_INIT("192.0.2.128/24"),
		STR_INIT("0.0.0.1/0"),
		STR_INIT("2001:db8::1/64"),
		STR_INIT("2001:db8::/129"),
		STR_INIT("::ffff:192.0.2.0/24"),
		STR_INIT("::ffff:192.0.2.1/120"),
		STR_INIT("192.0.2.0/255.255.255.0"),
		STR_INIT("192.0.2.0/24\0"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		struct cidr c = { .bits = 77 };

		assert_int_equal(cidr_parse(row[i], &c), -EINVAL);
		assert_int_equal(c.bits, 77);
	}
}

static void hostile_text_never_does_more_than_fail(void **state)
{
	static const char alphabet[] = "0123456789abcdef:.[]/%\0";
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 300000; i++) {
		char text[24], out[ADDR_TEXT];
		size_t n = chance(&seed, sizeof(text));
		struct addr a, back;
		struct cidr c;

		for (size_t k = 0; k < n; k++)
			text[k] = alphabet[chance(&seed, sizeof(alphabet))];
		(void)cidr_parse(str_n(text, n), &c);
		if (addr_parse(str_n(text, n), 1, &a) < 0)
			continue;
		assert_int_equal(addr_parse(str_of(addr_text(&a, out)), 2, &back), 0);
		assert_true(addr_eq(&a, &back));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_read_and_printed),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(the_kernels_addresses_are_taken),
		cmocka_unit_test(an_unset_address_is_nothing),
		cmocka_unit_test(addresses_are_compared_with_and_without_port),
		cmocka_unit_test(special_addresses_are_known),
		cmocka_unit_test(a_network_has_the_addresses_in_it),
		cmocka_unit_test(what_is_no_network_is_refused),
		cmocka_unit_test(hostile_text_never_does_more_than_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
