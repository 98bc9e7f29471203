#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "oom.h"
#include "parsed.h"
#include "sip/msg.h"
#include "unit.h"

static const struct {
	const char *lines;
	int code;
} refusals[] = {
	{ "CSeq: 2147483647 INVITE", 0 },
	{ "CSeq: 2147483648 INVITE", 400 },
	{ "CSeq: 0 INVITE", 0 },
	{ "CSeq: -1 INVITE", 400 },
	{ "CSeq: +1 INVITE", 400 },
	{ "CSeq: 0x1 INVITE", 400 },
	{ "CSeq: 1INVITE", 400 },
	{ "CSeq: 1", 400 },
	{ "CSeq:", 400 },
	{ "CSeq: 1 BYE", 400 },
	{ "CSeq: 1 invite", 400 },
	{ "CSeq: 1 INVITE x", 400 },
	{ "Max-Forwards: 255", 0 },
	{ "Max-Forwards: 256", 400 },
	{ "Max-Forwards: 0070", 0 },
	{ "Max-Forwards: -1", 400 },
	{ "Max-Forwards:", 400 },
	{ "Max-Forwards: 7\nMax-Forwards: 7", 400 },
	{ "Content-Length: 0", 0 },
	{ "Content-Length: 3\n\nabc", 0 },
	{ "Content-Length: 4\n\nabc", 400 },
	{ "Content-Length: -1", 400 },
	{ "Content-Length: 18446744073709551616", 400 },
	{ "Content-Length: 0\nl: 0", 400 },
	{ "Content-Length: 0\nContent-Length : 0", 400 },
	{ "Content-Type: application/sdp\nc: application/sdp", 400 },
	{ "Content-Type: application", 400 },
	{ "Content-Type: a/b/c", 400 },
	{ "Content-Type:", 400 },
	{ "Call-ID: a b", 400 },
	{ "Call-ID:", 400 },
	{ "Call-ID: \xc3\xa4", 400 },
	{ "Call-ID: a\nCall-ID: a", 400 },
	{ "From: <sip:a@b>;tag=1\nf: <sip:a@b>;tag=1", 400 },
	{ "To: <sip:a@b>\nt: <sip:a@b>", 400 },
	{ "To: <sip:a@b>;tag=1;tag=2", 400 },
	{ "To: <sip:a@b>;tag=1;TAG=1", 400 },
	{ "To: <sip:a@b>;tag", 400 },
	{ "To: <sip:a@b>;tag=", 400 },
	{ "To: <sip:a@b>;tag=a b", 400 },
	{ "To: <sip:a@b>;tag=\"a\"", 400 },
	{ "To: <sip:a@b", 400 },
	{ "To: <sip:a@b> x", 400 },
	{ "To: <>", 400 },
	{ "To: \"a <sip:a@b>", 400 },
	{ "To: a\"b\" <sip:a@b>", 400 },
	{ "To: sip:a@b?x=y", 400 },
	{ "To: <sip:a@b?x=y>", 0 },
	{ "To: <sip:a%00@b>", 400 },
	{ "To: <sip:a%0d%0a@b>", 400 },
	{ "To: <sip:a%4@b>", 400 },
	{ "To: <sip:a@b>, <sip:c@d>", 400 },
	{ "From: <sip:a@b>", 0 },
	{ "Via: SIP/2.0/UDP", 400 },
	{ "Via: SIP/2.0 UDP h", 400 },
	{ "Via: SIP/3.0/UDP h", 400 },
	{ "Via: HTTP/2.0/UDP h", 400 },
	{ "Via: SIP/2.0/UDP h:0", 400 },
	{ "Via: SIP/2.0/UDP h:65535", 0 },
	{ "Via: SIP/2.0/UDP h:65536", 400 },
	{ "Via: SIP/2.0/UDP 2001:db8::1", 400 },
	{ "Via: SIP/2.0/UDP [2001:db8::1]", 0 },
	{ "Via: SIP/2.0/UDP h;branch=a;branch=b", 400 },
	{ "Via: SIP/2.0/UDP h,", 0 },
	{ "Via: SIP/2.0/UDP h,,SIP/2.0/UDP h", 400 },
	{ "Via: SIP/2.0/UDP h;branch=a<b", 400 },
	{ "Via: SIP/2.0/UDP h;x=\"a<b,>\"", 0 },
	{ "Via: SIP/2.0/UDP h;x=\"a", 400 },
	{ "Via: SIP/2.0/UDP h;x=;y", 400 },
	{ "Via: SIP/2.0/UDP h;x = 1 ; y", 0 },
	{ "Via: SIP/2.0/UDP h;x;;y", 400 },
	{ "Via: SIP/2.0/UDP h;x; ;y", 400 },
	{ "Via: SIP/2.0/UDP h;x y=1", 400 },
	{ "Via: SIP/2.0/UDP h;x=y z", 400 },
	{ "Via: SIP/2.0/UDP h;received=[2001:db8::1];x=a:b/c", 0 },
	{ "Via: SIP/2.0/UDP h;\xc3\xa4", 400 },
	{ "Via:", 400 },
	{ "Contact: <sip:a@b>;+sip.instance=\"<urn:uuid:1>\";q=0.5;", 0 },
	{ "Contact: <sip:a@b>;q=", 400 },
	{ "To: <sip:a@b>;x=<", 400 },
	{ "To: <sip:a@b>;x=\"a", 400 },
	{ "To: <sip:a@b>;x=a,b", 400 },
	{ "To: <sip:a@b>;x=\"<\"", 0 },
	{ "Contact: x", 400 },
	{ "Contact: <sip:a@b>, *", 400 },
	{ "Contact: <tel:+1-201>", 0 },
	{ "Contact: <urn:service:sos>", 0 },
	{ "Record-Route: <sip:h1;lr>, x", 400 },
	{ "Record-Route: sip:h1;lr", 0 },
	{ "Record-Route: <urn:service:sos;lr>", 400 },
	{ "Record-Route: <tel:+1;lr>", 400 },
	{ "Route: <sips:h1;lr>", 0 },
	{ "Route:", 400 },
	{ "X-Any:", 0 },
	{ "X Any: 1", 400 },
	{ ": 1", 400 },
	{ "X\xc3\xa4: 1", 400 },
	{ "no colon", 400 },
	{ "X: a\x01z", 400 },
	{ "X: a\x7fz", 400 },
	{ "X: a\033z", 400 },
	{ "X: a\tz", 0 },
	{ "X: \xc3\xa4\xff", 0 },
	{ "X: a\rz", 400 },
	{ "X: \"a\\\x01z\"", 0 },
	{ "X: \"a\\\\\x01z\"", 400 },
	{ "X: a\\\x01z", 400 },
};

static void what_breaks_a_rule_is_refused_with_its_code(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(refusals); i++) {
		int code = code_of_invite_with(refusals[i].lines);

		if (code != refusals[i].code && !oom_hit())
			fail_msg("%s: %d, not %d", refusals[i].lines, code, refusals[i].code);
	}
}

static const struct {
	const char *line;
	int code; /* -1: nothing to answer to */
} starts[] = {
	{ "INVITE sip:a@b SIP/2.0", 0 },
	{ "INVITE sip:a@b sip/2.0", 0 },
	{ "INVITE sips:b SIP/2.0", 0 },
	{ "INVITE tel:+1 SIP/2.0", 0 },
	{ "INVITE sip:a@b SIP/2.1", 505 },
	{ "INVITE sip:a@b SIP/02.0", 505 },
	{ "INVITE http://b SIP/2.0", 416 },
	{ "INVITE b SIP/2.0", 400 },
	{ "INVITE <sip:b> SIP/2.0", 400 },
	{ "INVITE sip:a@b?x=y SIP/2.0", 400 },
	{ "INVITE sip:a@b;x y SIP/2.0", 400 },
	{ "INVITE  sip:a@b SIP/2.0", 400 },
	{ "INVITE sip:a@b  SIP/2.0", 400 },
	{ "INVITE sip:a@b SIP/2.0 ", 400 },
	{ " INVITE sip:a@b SIP/2.0", 400 },
	{ "INVITE sip:a@b@c SIP/2.0", 400 },
	{ "INVITE sip:%00@b SIP/2.0", 400 },
	{ "INVITE sip:a@b\tSIP/2.0", -1 },
	{ "INVITE SIP/2.0", -1 },
	{ "INVITE sip:a@b", -1 },
	{ "INVITE sip:a@b HTTP/1.1", -1 },
	{ "INV\"ITE sip:a@b SIP/2.0", -1 },
	{ "INVITE", -1 },
	{ "\x01", -1 },
};

static void the_request_line_decides_first(void **state)
{
	char text[400];

	(void)state;
	for (size_t i = 0; i < ROWS(starts); i++) {
		CLEANUP(msg_free) struct msg *m = NULL;
		struct msg_fault fault;

		(void)snprintf(text, sizeof(text),
			       "%s\nVia: SIP/2.0/UDP h\nFrom: <sip:a@b>\nTo: <sip:a@b>\n"
			       "Call-ID: x\nCSeq: 1 INVITE\n\n",
			       starts[i].line);
		int r = parse_lines(&m, text, &fault);
		if (oom_hit())
			return;
		if (starts[i].code == 0)
			assert_int_equal(r, 0);
		else
			assert_int_equal(r, -EBADMSG);
		assert_int_equal(fault.code, starts[i].code < 0 ? 0 : starts[i].code);
		assert_int_equal(m != NULL, starts[i].code >= 0);
	}
}

static void a_status_is_three_digits_from_100_to_699(void **state)
{
	static const struct {
		const char *line;
		bool is_good;
	} lines[] = {
		{ "SIP/2.0 100 Trying", true }, { "SIP/2.0 699", true },
		{ "SIP/2.0 200 ", true },       { "SIP/2.0 099 x", false },
		{ "SIP/2.0 700 x", false },     { "SIP/2.0 20 OK", false },
		{ "SIP/2.0 2000 OK", false },   { "SIP/2.0 4294967496 OK", false },
		{ "SIP/2.0 -20 OK", false },    { "SIP/2.0  200 OK", false },
		{ "SIP/2.0", false },           { "SIP/2.1 200 OK", false },
		{ "SIP/2.0\t200 OK", false },
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < ROWS(lines); i++) {
		CLEANUP(msg_free) struct msg *m = NULL;
		struct msg_fault fault;

		(void)snprintf(
			text, sizeof(text),
			"%s\nVia: SIP/2.0/UDP h\nFrom: <sip:a@b>;tag=1\nTo: <sip:a@b>;tag=2\n"
			"Call-ID: x\nCSeq: 1 INVITE\n\n",
			lines[i].line);
		int r = parse_lines(&m, text, &fault);
		if (oom_hit())
			return;
		assert_int_equal(r, lines[i].is_good ? 0 : -EBADMSG);
		assert_int_equal(fault.code, 0);
	}
}

/* Headers written n times, and the code that this gives. */
static int code_of_many(const char *line, int n)
{
	struct buf b = BUF_INIT;

	for (int i = 0; i < n; i++)
		buf_printf(&b, "%s%s", i ? "\n" : "", line);

	const char *text = text_of(&b);
	int code = text ? code_of_invite_with(text) : 0;
	buf_done(&b);
	return code;
}

static void limits_hold_at_their_edges(void **state)
{
	static const struct {
		const char *line;
		int most;
	} limits[] = {
		{ "Via: SIP/2.0/UDP h", MSG_VIAS_MAX },
		{ "Route: <sip:h1;lr>", MSG_ROUTES_MAX },
		{ "Record-Route: <sip:h1;lr>", MSG_ROUTES_MAX },
		{ "Contact: <sip:h1>", MSG_CONTACTS_MAX },
		{ "X: 1", MSG_HEADERS_MAX - 7 },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(limits); i++) {
		assert_int_equal(code_of_many(limits[i].line, limits[i].most), 0);
		if (!oom_hit())
			assert_int_equal(code_of_many(limits[i].line, limits[i].most + 1), 400);
	}
}

static void parameters_are_limited_because_osip_pays_their_square(void **state)
{
	static const char *const starts_of[] = { "From: <sip:a@b>;tag=1", "To: sip:a@b",
						 "Via: SIP/2.0/UDP h", "Contact: <sip:a@b>",
						 "Record-Route: <sip:h1>" };

	(void)state;
	for (size_t i = 0; i < ROWS(starts_of); i++) {
		for (int n = MSG_PARAMS_MAX - 1; n <= MSG_PARAMS_MAX + 1; n += 2) {
			struct buf b = BUF_INIT;

			buf_putz(&b, starts_of[i]);
			for (int k = strchr(starts_of[i], ';') ? 1 : 0; k < n; k++)
				buf_put(&b, STR(";a"));
			const char *text = text_of(&b);
			int code = text ? code_of_invite_with(text) : 0;
			buf_done(&b);
			if (!oom_hit())
				assert_int_equal(code, n > MSG_PARAMS_MAX ? 400 : 0);
		}
	}
}

static void a_head_on_a_stream_has_a_limit_of_its_own(void **state)
{
	(void)state;
	for (int over = 0; over < 2; over++) {
		CLEANUP(msg_free) struct msg *m = NULL;
		struct flow stream = { .proto = PROTO_TCP, .peer = source.peer };
		struct buf b = BUF_INIT;
		struct msg_fault fault = { 0 };

		buf_putz(&b, "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nFrom: <sip:a@b>\r\n"
			     "To: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\nX: ");
		while (!buf_error(&b) && b.n < (size_t)MSG_HEAD_BYTES_MAX - 4 + (size_t)over)
			buf_putc(&b, 'x');
		buf_putz(&b, "\r\n\r\n");
		int r = buf_error(&b) ? -ENOMEM : msg_parse(&m, &stream, buf_str(&b), &fault);
		buf_done(&b);
		if (oom_hit())
			return;
		assert_int_equal(r, over ? -EBADMSG : 0);
		assert_int_equal(fault.code, over ? 513 : 0);
	}
}

static void a_body_has_a_limit(void **state)
{
	(void)state;
	for (int over = 0; over < 2; over++) {
		CLEANUP(msg_free) struct msg *m = NULL;
		struct flow stream = { .proto = PROTO_TCP, .peer = source.peer };
		struct buf b = BUF_INIT;
		struct msg_fault fault = { 0 };
		int n = MSG_BODY_BYTES_MAX + over;

		buf_printf(&b,
			   "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nFrom: <sip:a@b>\r\n"
			   "To: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\nl: %d\r\n\r\n",
			   n);
		for (int i = 0; i < n && !buf_error(&b); i++)
			buf_putc(&b, 0);
		int r = buf_error(&b) ? -ENOMEM : msg_parse(&m, &stream, buf_str(&b), &fault);
		buf_done(&b);
		if (oom_hit())
			return;
		assert_int_equal(r, over ? -EBADMSG : 0);
		assert_int_equal(fault.code, over ? 413 : 0);
	}
}

static void what_cannot_be_answered_is_dropped(void **state)
{
	static const char *const texts[] = {
		"",
		"\n\n",
		"ACK sip:a SIP/2.0\nVia: SIP/2.0/UDP h\n\n",
		"SIP/2.0 200 OK\nVia: SIP/2.0/UDP h\n\n",
		"INVITE sip:a SIP/2.0\nFrom: <sip:a@b>\n\n",
		"INVITE sip:a SIP/2.0\n\n",
		"hello\n\n",
	};

	(void)state;
	for (size_t i = 0; i < ROWS(texts); i++) {
		struct msg *m = NULL;
		struct msg_fault fault;
		int r = parse_lines(&m, texts[i], &fault);

		if (oom_hit())
			return;
		assert_int_equal(r, -EBADMSG);
		assert_int_equal(fault.code, 0);
		assert_non_null(fault.what);
		assert_null(m);
	}
}

static void a_head_that_does_not_end_is_refused(void **state)
{
	static const char *const texts[] = {
		"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n",
		"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h",
		"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n\r",
		"OPTIONS sip:a SIP/2.0\nVia: SIP/2.0/UDP h\n\n",
		"OPTIONS sip:a SIP/2.0\rVia: SIP/2.0/UDP h\r\r",
		"OPTIONS sip:a SIP/2.0",
	};

	(void)state;
	for (size_t i = 0; i < ROWS(texts); i++) {
		CLEANUP(msg_free) struct msg *m = NULL;
		struct msg_fault fault;

		if (!oom_hit())
			assert_int_equal(parse_bytes(&m, str_of(texts[i]), &fault), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_breaks_a_rule_is_refused_with_its_code),
		cmocka_unit_test(the_request_line_decides_first),
		cmocka_unit_test(a_status_is_three_digits_from_100_to_699),
		cmocka_unit_test(limits_hold_at_their_edges),
		cmocka_unit_test(parameters_are_limited_because_osip_pays_their_square),
		cmocka_unit_test(a_head_on_a_stream_has_a_limit_of_its_own),
		cmocka_unit_test(a_body_has_a_limit),
		cmocka_unit_test(what_cannot_be_answered_is_dropped),
		cmocka_unit_test(a_head_that_does_not_end_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
