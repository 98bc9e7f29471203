#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "oom.h"
#include "parsed.h"
#include "sip/msg.h"
#include "unit.h"

/* ---- what is read ---- */

static const char full[] = "INVITE sip:8801712345678@192.0.2.1:5062;user=phone SIP/2.0\n"
			   "v: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKabc;rport\n"
			   "Via: SIP/2.0/TCP proxy.example.com;branch=z9hG4bKdef\n"
			   "f: \"Alice \\\"A\\\" Smith\" <sip:1001@192.0.2.2;x=y>;tag=from1\n"
			   "t: Bob <sip:8801712345678@192.0.2.1>;tag=to1\n"
			   "i: call1@192.0.2.2\n"
			   "CSeq: 2147483647 INVITE\n"
			   "m: <sip:1001@192.0.2.2:5070;transport=udp>;q=1, <sip:other@192.0.2.3>\n"
			   "Max-Forwards: 0\n"
			   "c: application/sdp;charset=utf-8\n"
			   "l: 4\n"
			   "\n"
			   "v=0\nthis is nobody's";

static void a_request_is_read_into_fields(void **state)
{
	(void)state;
	CLEANUP(msg_free) struct msg *m = parsed(full);

	if (!m)
		return;
	assert_true(m->is_request);
	assert_int_equal(m->method, METHOD_INVITE);
	assert_str(m->method_text, "INVITE");
	assert_str(m->uri_text, "sip:8801712345678@192.0.2.1:5062;user=phone");
	assert_str(m->uri.user, "8801712345678");
	assert_int_equal(m->uri.port, 5062);
	assert_str(m->call_id, "call1@192.0.2.2");
	assert_int_equal(m->cseq, 2147483647);
	assert_str(m->branch, "z9hG4bKabc");
	assert_str(m->via_host, "192.0.2.2:5060");
	assert_true(m->via_rport);
	assert_int_equal(m->max_forwards, 0);
	assert_true(m->has_contact);
	assert_str(m->contact_text, "sip:1001@192.0.2.2:5070;transport=udp");
	assert_int_equal(m->contact.port, 5070);
	assert_str(m->content_type, "application/sdp");
	assert_str(m->body, "v=0\n");
}

static void both_parties_are_read_into_fields(void **state)
{
	(void)state;
	CLEANUP(msg_free) struct msg *m = parsed(full);

	if (!m)
		return;
	assert_str(m->from_tag, "from1");
	assert_str(m->to_tag, "to1");
	assert_str(m->from.user, "1001");
	assert_str(m->to.host, "192.0.2.1");
	assert_str(m->from_uri_text, "sip:1001@192.0.2.2;x=y");
	assert_str(m->from_display, "Alice \\\"A\\\" Smith");
	assert_str(m->to_display, "Bob");
}

static void a_response_is_read_into_fields(void **state)
{
	(void)state;
	CLEANUP(msg_free)
	struct msg *m = parsed("SIP/2.0 486 Busy  Here\n"
			       "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKt01\n"
			       "From: <sip:a@b>;tag=1\n"
			       "To: <sip:c@d>;tag=2\n"
			       "Call-ID: x\n"
			       "CSeq: 7 BYE\n\n");

	if (!m)
		return;
	assert_false(m->is_request);
	assert_int_equal(m->status, 486);
	assert_str(m->phrase, "Busy  Here");
	assert_int_equal(m->method, METHOD_BYE);
	assert_int_equal(m->max_forwards, -1);
	assert_false(m->has_contact);
	assert_false(m->via_rport);
	assert_str(m->branch, "z9hG4bKt01");
	assert_true(str_is_empty(m->content_type));
}

static void every_method_has_its_name(void **state)
{
	(void)state;
	for (int i = 0; i < METHOD_OTHER; i++)
		assert_int_equal(method_find(str_of(method_name((enum method)i))), i);
	assert_int_equal(method_find(STR("invite")), METHOD_OTHER);
	assert_int_equal(method_find(STR("OTHER")), METHOD_OTHER);
	assert_int_equal(method_find(STR("")), METHOD_OTHER);
}

static void blanks_in_sent_by_and_content_type_are_taken_out(void **state)
{
	(void)state;
	CLEANUP(msg_free)
	struct msg *m =
		invite_with("Via: SIP / 2.0 / UDP first.example.com: 4000;ttl=16 ;branch=z9\n"
			    "Content-Type: application / sdp ; a=b");

	if (!m)
		return;
	assert_str(m->via_host, "first.example.com:4000");
	assert_str(m->branch, "z9");
	assert_str(m->content_type, "application/sdp");
}

static void folded_lines_are_one_line(void **state)
{
	(void)state;
	CLEANUP(msg_free) struct msg *m = invite_with("CSeq: 1\n\t INVITE\nSubject: a\n b");
	struct str value;

	if (!m)
		return;
	assert_int_equal(m->cseq, 1);
	assert_true(msg_header(m, "s", 0, &value));
	assert_str(value, "a   b");
}

static void a_star_is_no_contact_address(void **state)
{
	(void)state;
	CLEANUP(msg_free)
	struct msg *m = parsed("REGISTER sip:a SIP/2.0\n"
			       "Via: SIP/2.0/UDP h\n"
			       "From: <sip:a@b>;tag=1\n"
			       "To: <sip:a@b>\n"
			       "Call-ID: x\n"
			       "CSeq: 1 REGISTER\n"
			       "Contact: *\n\n");

	if (!m)
		return;
	assert_false(m->has_contact);
	assert_true(str_is_empty(m->branch));
	assert_int_equal(code_of_invite_with("Contact: *"), 400);
}

static void empty_lines_before_a_request_do_not_count(void **state)
{
	static const char text[] = "\r\n\r\nOPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n"
				   "From: <sip:a@b>\r\nTo: <sip:a@b>\r\nCall-ID: x\r\n"
				   "CSeq: 1 OPTIONS\r\n\r\n";
	CLEANUP(msg_free) struct msg *m = NULL;
	struct msg_fault fault;

	(void)state;
	if (!oom_refused(parse_bytes(&m, STR(text), &fault)))
		assert_int_equal(m->method, METHOD_OPTIONS);
}

/* ---- headers by name ---- */

static void headers_are_found_by_either_name_in_order(void **state)
{
	(void)state;
	CLEANUP(msg_free)
	struct msg *m =
		invite_with("k: timer\nX-Mine: 1\nSupported: 100rel , replaces;x=1\nx-mine:2");
	struct str value;

	if (!m)
		return;
	assert_true(msg_header(m, "Supported", 0, &value));
	assert_str(value, "timer");
	assert_true(msg_header(m, "k", 1, &value));
	assert_str(value, "100rel , replaces;x=1");
	assert_false(msg_header(m, "Supported", 2, &value));
	assert_true(msg_header(m, "X-MINE", 1, &value));
	assert_str(value, "2");
	assert_false(msg_header(m, "Nowhere", 0, &value));
}

static void option_tags_are_found_in_any_header_of_the_name(void **state)
{
	(void)state;
	CLEANUP(msg_free)
	struct msg *m = invite_with("k: timer\nSupported: 100rel , replaces;x=1\nRequire:");

	if (!m)
		return;
	assert_true(msg_lists(m, "Supported", STR("timer")));
	assert_true(msg_lists(m, "Supported", STR("100REL")));
	assert_true(msg_lists(m, "Supported", STR("replaces")));
	assert_false(msg_lists(m, "Supported", STR("place")));
	assert_false(msg_lists(m, "Require", STR("timer")));
}

/* ---- memory ---- */

static void a_message_is_parsed(void)
{
	CLEANUP(msg_free) struct msg *m = NULL;
	struct msg_fault fault;

	(void)oom_refused(parse_lines(&m, full, &fault));
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_message_is_parsed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_read_into_fields),
		cmocka_unit_test(both_parties_are_read_into_fields),
		cmocka_unit_test(a_response_is_read_into_fields),
		cmocka_unit_test(every_method_has_its_name),
		cmocka_unit_test(blanks_in_sent_by_and_content_type_are_taken_out),
		cmocka_unit_test(folded_lines_are_one_line),
		cmocka_unit_test(a_star_is_no_contact_address),
		cmocka_unit_test(empty_lines_before_a_request_do_not_count),
		cmocka_unit_test(headers_are_found_by_either_name_in_order),
		cmocka_unit_test(option_tags_are_found_in_any_header_of_the_name),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
