/*
 * The messages of RFC 4475 and RFC 5118, from the fuzz corpus: every valid one is parsed, every
 * invalid one is refused as the RFC says. What the RFC leaves to the layers above (420, 415, 483 ...)
 * is parsed here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "oom.h"
#include "parsed.h"
#include "unit.h"

enum { GOOD = 0, DROPPED = -1, BYTES_MAX = 8192 };

static const struct torture {
	const char *name;
	int code;
} torture[] = {
	{ "rfc4475-3.1.1.1-wsinv", GOOD },
	{ "rfc4475-3.1.1.2-intmeth", GOOD },
	{ "rfc4475-3.1.1.3-esc01", GOOD },
	{ "rfc4475-3.1.1.4-escnull", 400 }, /* valid, but security.md P6 wants no %00 */
	{ "rfc4475-3.1.1.5-esc02", GOOD },
	{ "rfc4475-3.1.1.6-lwsdisp", GOOD },
	{ "rfc4475-3.1.1.7-longreq", GOOD },
	{ "rfc4475-3.1.1.8-dblreq", GOOD },
	{ "rfc4475-3.1.1.9-semiuri", GOOD },
	{ "rfc4475-3.1.1.10-transports", GOOD },
	{ "rfc4475-3.1.1.11-mpart01", GOOD },
	{ "rfc4475-3.1.1.12-unreason", GOOD },
	{ "rfc4475-3.1.1.13-noreason", GOOD },
	{ "rfc4475-3.1.2.1-badinv01", 400 },
	{ "rfc4475-3.1.2.2-clerr", 400 },
	{ "rfc4475-3.1.2.3-ncl", 400 },
	{ "rfc4475-3.1.2.4-scalar02", 400 },
	{ "rfc4475-3.1.2.5-scalarlg", DROPPED },
	{ "rfc4475-3.1.2.6-quotbal", 400 },
	{ "rfc4475-3.1.2.7-ltgtruri", 400 },
	{ "rfc4475-3.1.2.8-lwsruri", 400 },
	{ "rfc4475-3.1.2.9-lwsstart", 400 },
	{ "rfc4475-3.1.2.10-trws", 400 },
	{ "rfc4475-3.1.2.11-escruri", 400 },
	{ "rfc4475-3.1.2.12-baddate", GOOD }, /* nobody here reads Date */
	{ "rfc4475-3.1.2.13-regbadct", 400 },
	{ "rfc4475-3.1.2.14-badaspec", 400 },
	{ "rfc4475-3.1.2.15-baddn", 400 },
	{ "rfc4475-3.1.2.16-badvers", 505 },
	{ "rfc4475-3.1.2.17-mismatch01", 400 },
	{ "rfc4475-3.1.2.18-mismatch02", 400 },
	{ "rfc4475-3.1.2.19-bigcode", DROPPED },
	{ "rfc4475-3.2.1-badbranch", GOOD },
	{ "rfc4475-3.3.1-insuf", 400 },
	{ "rfc4475-3.3.2-unkscm", 416 },
	{ "rfc4475-3.3.3-novelsc", 416 },
	{ "rfc4475-3.3.4-unksm2", GOOD },
	{ "rfc4475-3.3.5-bext01", GOOD },
	{ "rfc4475-3.3.6-invut", GOOD },
	{ "rfc4475-3.3.7-regaut01", GOOD },
	{ "rfc4475-3.3.8-multi01", 400 },
	{ "rfc4475-3.3.9-mcl01", 400 },
	{ "rfc4475-3.3.10-bcast", GOOD },
	{ "rfc4475-3.3.11-zeromf", GOOD },
	{ "rfc4475-3.3.12-cparam01", GOOD },
	{ "rfc4475-3.3.13-cparam02", GOOD },
	{ "rfc4475-3.3.14-regescrt", GOOD },
	{ "rfc4475-3.3.15-sdp01", GOOD },
	{ "rfc4475-3.4.1-inv2543", GOOD },
	{ "rfc5118-4.1-ipv6-good", GOOD },
	{ "rfc5118-4.2-ipv6-bad", 400 },
	{ "rfc5118-4.3-port-ambiguous", GOOD },
	{ "rfc5118-4.4-port-unambiguous", GOOD },
	{ "rfc5118-4.5-received-with-delim", GOOD },
	{ "rfc5118-4.5-received-no-delim", GOOD },
	{ "rfc5118-4.6-ipv6-in-sdp", GOOD },
	{ "rfc5118-4.7-mult-ip-in-header", GOOD },
	{ "rfc5118-4.8-mult-ip-in-sdp", GOOD },
	{ "rfc5118-4.9-ipv4-mapped", GOOD },
	{ "rfc5118-4.10-three-colons", GOOD },
	{ "rfc5118-4.10-two-colons", GOOD },
};

/* Parses a file of the corpus; the code as in the table. */
static int parse_file(const char *name, struct msg **ret)
{
	static char bytes[BYTES_MAX];
	char path[200];
	struct msg_fault fault = { 0 };

	(void)snprintf(path, sizeof(path), "tests/fuzz/corpus/fuzz_message/%s", name);
	FILE *f = fopen(path, "rb");
	if (!f)
		fail_msg("%s: not found", path);
	size_t n = fread(bytes, 1, sizeof(bytes), f);
	(void)fclose(f);

	int r = parse_bytes(ret, str_n(bytes, n), &fault);
	if (r == 0)
		return GOOD;
	return fault.code ? fault.code : DROPPED;
}

static void each_is_taken_or_refused_as_the_rfc_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(torture) / sizeof(torture[0]); i++) {
		CLEANUP(msg_free) struct msg *m = NULL;
		int code = parse_file(torture[i].name, &m);

		if (oom_hit())
			return;
		if (code != torture[i].code)
			fail_msg("%s: %d, not %d", torture[i].name, code, torture[i].code);
		assert_int_equal(m != NULL, code != DROPPED);
	}
}

static struct msg *file(const char *name)
{
	struct msg *m = NULL;
	int code = parse_file(name, &m);

	if (code != GOOD)
		assert_true(oom_hit());
	return m;
}

static void the_tortuous_invite_is_understood(void **state)
{
	(void)state;
	CLEANUP(msg_free) struct msg *m = file("rfc4475-3.1.1.1-wsinv");

	if (!m)
		return;
	assert_str(m->to_tag, "1918181833n");
	assert_str(m->from_tag, "98asjd8");
	assert_str(m->from_display, "J Rosenberg \\\\\\\"");
	assert_int_equal(m->max_forwards, 68);
	assert_int_equal(m->cseq, 9);
	assert_str(m->via_host, "192.0.2.2");
	assert_str(m->branch, "390skdjuw");
	assert_str(m->contact_text, "sip:jdrosen@example.com");
	assert_str(m->content_type, "application/sdp");
}

static void one_datagram_is_one_request(void **state)
{
	(void)state;
	CLEANUP(msg_free) struct msg *m = file("rfc4475-3.1.1.8-dblreq");

	if (!m)
		return;
	assert_int_equal(m->method, METHOD_REGISTER);
	assert_true(str_is_empty(m->body));
}

static void unusual_characters_keep_their_places(void **state)
{
	(void)state;
	CLEANUP(msg_free) struct msg *m = file("rfc4475-3.1.1.9-semiuri");
	CLEANUP(msg_free) struct msg *wide = file("rfc4475-3.1.1.2-intmeth");

	if (!m || !wide)
		return;
	assert_str(m->uri.user, "user;par=u%40example.net");
	assert_str(m->uri.host, "example.com");
	assert_int_equal(wide->method, METHOD_OTHER);
	assert_str(wide->uri.user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
	assert_str(wide->from_tag, "_token~1'+`*%!-.");
	assert_str(wide->to_display, "BEL:\\? NUL:\\? DEL:\\?");
}

static void a_port_stands_behind_the_bracket_only(void **state)
{
	(void)state;
	CLEANUP(msg_free) struct msg *in = file("rfc5118-4.3-port-ambiguous");
	CLEANUP(msg_free) struct msg *behind = file("rfc5118-4.4-port-unambiguous");

	if (!in || !behind)
		return;
	assert_str(in->uri.host, "2001:db8::10:5070");
	assert_int_equal(in->uri.port, 0);
	assert_str(behind->uri.host, "2001:db8::10");
	assert_int_equal(behind->uri.port, 5070);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_taken_or_refused_as_the_rfc_says),
		cmocka_unit_test(the_tortuous_invite_is_understood),
		cmocka_unit_test(one_datagram_is_one_request),
		cmocka_unit_test(unusual_characters_keep_their_places),
		cmocka_unit_test(a_port_stands_behind_the_bracket_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
