#include "vendor/dns.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void names_and_what_is_none(void **state)
{
	static const struct {
		const char *text;
		int port; /* -1: no name */
	} cases[] = {
		{ "a", 0 },
		{ "sip.example.com", 0 },
		{ "sip.example.com:5070", 5070 },
		{ "3com.example", 0 },
		{ "xn--bcher-kva.example", 0 },
		{ "", -1 },
		{ ".", -1 },
		{ "a.", -1 },
		{ "a..b", -1 },
		{ "-a.b", -1 },
		{ "a-.b", -1 },
		{ "a_b.c", -1 },
		{ "a b", -1 },
		{ "a:0", -1 },
		{ "a:65536", -1 },
		{ "a:", -1 },
		{ "a:b", -1 },
		{ "192.0.2.300", -1 },
		{ "192.0.2", -1 },
		{ "[2001:db8::1]", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str host;
		uint16_t port = 0;
		int r = dns_name_parse(str_of(cases[i].text), &host, &port);

		assert_int_equal(r, cases[i].port < 0 ? -EINVAL : 0);
		if (r == 0)
			assert_int_equal(port, cases[i].port);
	}
}

/* What is not known is told apart from what does not exist: an old answer outlives the one, too. */
static int says(void *ctx, const char *name, enum dns_type type, uint8_t *out, int size)
{
	const int *what = ctx;

	(void)name;
	(void)out;
	(void)size;
	return type == DNS_NAPTR ? what[0] : type == DNS_SRV ? what[1] : what[2];
}

static void failures(void **state)
{
	static const struct {
		int says[3], want;
	} cases[] = {
		{ { -ENOENT, -ENOENT, -ENOENT }, -ENOENT },
		{ { -EAGAIN, -ENOENT, -ENOENT }, -ENOENT },
		{ { -ENOENT, -EAGAIN, -ENOENT }, -EAGAIN },
		{ { -ENOENT, -ENOENT, -EAGAIN }, -EAGAIN },
		{ { -ENOENT, -ENOENT, 3 }, -EAGAIN }, /* no message at all */
	};
	struct dns_place place = { .host = "a.example", .proto = PROTO_UDP };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int what[3] = { cases[i].says[0], cases[i].says[1], cases[i].says[2] };
		struct dns_answer found;

		assert_int_equal(dns_locate(&place, says, what, &found), cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_what_is_none),
		cmocka_unit_test(failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
