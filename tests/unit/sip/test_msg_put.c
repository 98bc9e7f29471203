#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "oom.h"
#include "parsed.h"
#include "sip/msg.h"
#include "unit.h"

static void expect_reply(const struct msg *m, int code, const char *to_tag, bool record_route,
			 const char *expected)
{
	struct buf b = BUF_INIT;

	msg_put_reply_head(m, code, NULL, to_tag, record_route, &b);
	const char *text = text_of(&b);
	if (text)
		assert_string_equal(text, expected);
	buf_done(&b);
}

static void a_reply_repeats_what_it_answers(void **state)
{
	(void)state;
	CLEANUP(msg_free)
	struct msg *m = invite_with("Via: SIP/2.0/UDP 10.0.0.1;rport;branch=z9;received=6.6.6.6, "
				    "SIP/2.0/TCP b\n"
				    "v: SIP/2.0/TLS c;received=7.7.7.7\n"
				    "Record-Route: <sip:p1;lr>, <sip:p2>\nTimestamp: 54.1");

	if (!m)
		return;
	expect_reply(m, 180, "t01", true,
		     "SIP/2.0 180 Ringing\r\n"
		     "Via: SIP/2.0/UDP 10.0.0.1;branch=z9;received=192.0.2.9;rport=5062, "
		     "SIP/2.0/TCP b\r\n"
		     "Via: SIP/2.0/TLS c;received=7.7.7.7\r\n"
		     "From: \"Alice\" <sip:1001@192.0.2.2>;tag=from1\r\n"
		     "To: <sip:8801712345678@192.0.2.1>;tag=t01\r\n"
		     "Call-ID: call1@192.0.2.2\r\n"
		     "CSeq: 1 INVITE\r\n"
		     "Record-Route: <sip:p1;lr>, <sip:p2>\r\n");
}

static void blanks_in_sent_by_leave_no_rubbish_in_a_reply(void **state)
{
	(void)state;
	CLEANUP(msg_free)
	struct msg *m = invite_with("Via: SIP/2.0/UDP 192.0.2.9 : 5062;branch=z9");

	if (m)
		expect_reply(m, 200, NULL, false,
			     "SIP/2.0 200 OK\r\n"
			     "Via: SIP/2.0/UDP 192.0.2.9:5062;branch=z9\r\n"
			     "From: \"Alice\" <sip:1001@192.0.2.2>;tag=from1\r\n"
			     "To: <sip:8801712345678@192.0.2.1>\r\n"
			     "Call-ID: call1@192.0.2.2\r\n"
			     "CSeq: 1 INVITE\r\n");
}

static void a_100_has_no_tag_and_the_timestamp(void **state)
{
	(void)state;
	CLEANUP(msg_free)
	struct msg *m = invite_with("Via: SIP/2.0/UDP 192.0.2.9;\n"
				    "To: <sip:8801712345678@192.0.2.1> ;\nTimestamp: 54.1");

	if (m)
		expect_reply(m, 100, NULL, false,
			     "SIP/2.0 100 Trying\r\n"
			     "Via: SIP/2.0/UDP 192.0.2.9\r\n"
			     "From: \"Alice\" <sip:1001@192.0.2.2>;tag=from1\r\n"
			     "To: <sip:8801712345678@192.0.2.1>\r\n"
			     "Call-ID: call1@192.0.2.2\r\n"
			     "CSeq: 1 INVITE\r\n"
			     "Timestamp: 54.1\r\n");
}

static void a_tag_that_is_there_stays(void **state)
{
	(void)state;
	CLEANUP(msg_free)
	struct msg *m = invite_with("Via: SIP/2.0/UDP h\nTo: <sip:a@b>;tag=mine\nTimestamp: 1;x");

	if (m)
		expect_reply(m, 200, "t01", false,
			     "SIP/2.0 200 OK\r\n"
			     "Via: SIP/2.0/UDP h;received=192.0.2.9\r\n"
			     "From: \"Alice\" <sip:1001@192.0.2.2>;tag=from1\r\n"
			     "To: <sip:a@b>;tag=mine\r\n"
			     "Call-ID: call1@192.0.2.2\r\n"
			     "CSeq: 1 INVITE\r\n");
}

static void a_broken_request_is_answered_with_what_it_has(void **state)
{
	struct msg_fault fault;

	(void)state;
	CLEANUP(msg_free) struct msg *m = NULL;
	int r = parse_lines(&m, "INVITE sip:a SIP/2.0\nVia: ;;,;\nCSeq: 1 INVITE\n\n", &fault);

	if (oom_hit())
		return;
	assert_int_equal(r, -EBADMSG);
	assert_int_equal(fault.code, 400);
	expect_reply(m, 400, "t01", false,
		     "SIP/2.0 400 Bad Request\r\n"
		     "Via: ;received=192.0.2.9, ;\r\n"
		     "CSeq: 1 INVITE\r\n");
}

static void every_code_has_a_phrase(void **state)
{
	(void)state;
	assert_string_equal(msg_phrase(487), "Request Terminated");
	assert_string_equal(msg_phrase(299), "OK");
	assert_string_equal(msg_phrase(699), "Refused Everywhere");
	assert_string_equal(msg_phrase(99), "Unknown");
	assert_string_equal(msg_phrase(700), "Unknown");
}

static void a_party_is_written_without_its_parameters(void **state)
{
	static const struct {
		const char *line, *expected;
	} parties[] = {
		{ "From: sip:a@b;tag=1", "<sip:a@b>" },
		{ "From: \"A \\\"B\\\"\" <sip:a@b;c=d>;tag=1;x=y",
		  "\"A \\\"B\\\"\" <sip:a@b;c=d>" },
		{ "From: Mr. X <sip:a@b>", "\"Mr. X\" <sip:a@b>" },
		{ "From: \"\xc3\xa4\xff\" <sip:a@b>", "\"\xc3\xa4\xef\xbf\xbd\" <sip:a@b>" },
		{ "From: \"\\\xff\" <sip:a@b>", "\"\xef\xbf\xbd\" <sip:a@b>" },
		{ "From: \"a\\\x01z\" <sip:a@b>", "\"a\\?z\" <sip:a@b>" },
		{ "From: \"\" <sip:a@b>", "<sip:a@b>" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(parties); i++) {
		CLEANUP(msg_free) struct msg *m = invite_with(parties[i].line);
		struct buf b = BUF_INIT;

		if (!m)
			return;
		msg_put_party(m, true, &b);
		const char *text = text_of(&b);
		if (text)
			assert_string_equal(text, parties[i].expected);
		buf_done(&b);
	}
}

static void a_route_set_has_the_order_of_its_side(void **state)
{
	(void)state;
	CLEANUP(msg_free)
	struct msg *m =
		invite_with("Record-Route: <sip:h1;lr>,\"x,y\" <sip:h2>\nRecord-Route: <sip:h3>;z");
	struct buf b = BUF_INIT;

	if (!m)
		return;
	msg_route_set(m, false, &b);
	buf_putc(&b, '|');
	msg_route_set(m, true, &b);
	const char *text = text_of(&b);
	if (text)
		assert_string_equal(text, "<sip:h1;lr>, \"x,y\" <sip:h2>, <sip:h3>;z|"
					  "<sip:h3>;z, \"x,y\" <sip:h2>, <sip:h1;lr>");
	buf_done(&b);
}

/* ---- memory ---- */

static void a_request_is_answered(void)
{
	CLEANUP(msg_free)
	struct msg *m = invite_with("Record-Route: <sip:p1;lr>, <sip:p2>\nTimestamp: 54.1");
	struct buf b = BUF_INIT;

	if (!m)
		return;
	msg_put_reply_head(m, 200, NULL, "t", true, &b);
	(void)oom_refused(buf_error(&b));
	buf_done(&b);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_request_is_answered);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_repeats_what_it_answers),
		cmocka_unit_test(blanks_in_sent_by_leave_no_rubbish_in_a_reply),
		cmocka_unit_test(a_100_has_no_tag_and_the_timestamp),
		cmocka_unit_test(a_tag_that_is_there_stays),
		cmocka_unit_test(a_broken_request_is_answered_with_what_it_has),
		cmocka_unit_test(every_code_has_a_phrase),
		cmocka_unit_test(a_party_is_written_without_its_parameters),
		cmocka_unit_test(a_route_set_has_the_order_of_its_side),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
