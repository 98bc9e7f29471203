#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "oom.h"
#include "parsed.h"
#include "sip/dialog.h"

static struct addr our_address(void)
{
	struct addr a;

	assert_int_equal(addr_parse(STR("198.51.100.1:5060"), 0, &a), 0);
	return a;
}

static void expect_request(struct dialog *d, struct draft draft, const char *expected)
{
	struct addr local = our_address();
	struct buf b = BUF_INIT;

	draft.local = &local;
	draft.branch = "z9hG4bKt01";
	dialog_put_request(d, &draft, &b);
	const char *text = text_of(&b);
	if (text)
		assert_string_equal(text, expected);
	buf_done(&b);
}

static struct msg *response(const char *lines)
{
	char text[1000];

	(void)snprintf(text, sizeof(text),
		       "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bKt01\n"
		       "From: <sip:a@b>;tag=ours\nCall-ID: t01call\nCSeq: 1 INVITE\n%s\n\n",
		       lines);
	return parsed(text);
}

/* ---- UAS side ---- */

static void a_request_makes_our_side_of_the_dialog(void **state)
{
	(void)state;
	CLEANUP(msg_free)
	struct msg *m = invite_with("Record-Route: <sip:p1.x;lr>, <sip:p2.x;lr>\nCSeq: 5 INVITE");
	struct dialog d;

	if (!m || oom_refused(dialog_from_request(&d, m, "ours")))
		return;
	assert_string_equal(d.call_id, "call1@192.0.2.2");
	assert_string_equal(d.local, "<sip:8801712345678@192.0.2.1>");
	assert_string_equal(d.local_tag, "ours");
	assert_string_equal(d.remote, "\"Alice\" <sip:1001@192.0.2.2>");
	assert_string_equal(d.remote_tag, "from1");
	assert_string_equal(d.target, "sip:1001@192.0.2.2:5060");
	assert_string_equal(d.routes, "<sip:p1.x;lr>, <sip:p2.x;lr>");
	assert_int_equal(d.remote_cseq, 5);
	assert_int_equal(d.local_cseq, 0);
	assert_true(addr_eq(&d.flow.peer, &source.peer));
	dialog_done(&d);
	assert_null(d.call_id);
	dialog_done(&d);
}

static void a_caller_of_2543_has_no_tag_and_perhaps_no_contact(void **state)
{
	(void)state;
	CLEANUP(msg_free)
	struct msg *m = parsed("INVITE sip:b@h SIP/2.0\n"
			       "Via: SIP/2.0/UDP h\n"
			       "From: sip:1001@192.0.2.2;x=y\n"
			       "To: sip:b@h\n"
			       "Call-ID: x\n"
			       "CSeq: 1 INVITE\n\n");
	struct dialog d;

	if (!m || oom_refused(dialog_from_request(&d, m, "ours")))
		return;
	assert_null(d.remote_tag);
	assert_null(d.routes);
	assert_string_equal(d.target, "sip:1001@192.0.2.2");
	expect_request(&d, (struct draft){ .method = METHOD_BYE },
		       "BYE sip:1001@192.0.2.2 SIP/2.0\r\n"
		       "Via: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKt01;rport\r\n"
		       "Max-Forwards: 70\r\n"
		       "From: <sip:b@h>;tag=ours\r\n"
		       "To: <sip:1001@192.0.2.2>\r\n"
		       "Call-ID: x\r\n"
		       "CSeq: 1 BYE\r\n"
		       "Content-Length: 0\r\n\r\n");
	dialog_done(&d);
}

/* ---- UAC side ---- */

static int out_dialog(struct dialog *d)
{
	return dialog_for_invite(d, "t01call", "ours", STR("\"A\" <sip:a@198.51.100.1>"),
				 STR("<sip:b@203.0.113.5>"), STR("sip:b@203.0.113.5"), &source);
}

static void an_invite_has_all_that_an_invite_needs(void **state)
{
	struct dialog d;

	(void)state;
	if (oom_refused(out_dialog(&d)))
		return;
	expect_request(&d,
		       (struct draft){ .method = METHOD_INVITE,
				       .with_contact = true,
				       .max_forwards = 69,
				       .extra = STR("Supported: timer\r\n"),
				       .content_type = STR("application/sdp"),
				       .body = STR("v=0\r\n") },
		       "INVITE sip:b@203.0.113.5 SIP/2.0\r\n"
		       "Via: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKt01;rport\r\n"
		       "Max-Forwards: 69\r\n"
		       "From: \"A\" <sip:a@198.51.100.1>;tag=ours\r\n"
		       "To: <sip:b@203.0.113.5>\r\n"
		       "Call-ID: t01call\r\n"
		       "CSeq: 1 INVITE\r\n"
		       "Contact: <sip:198.51.100.1:5060>\r\n"
		       "Allow: " DIALOG_ALLOW "\r\n"
		       "Supported: timer\r\n"
		       "Content-Type: application/sdp\r\n"
		       "Content-Length: 5\r\n\r\n"
		       "v=0\r\n");
	dialog_done(&d);
}

static void what_is_written_can_be_read(void **state)
{
	struct addr local = our_address();
	struct msg_fault fault;
	struct dialog d;
	struct buf b = BUF_INIT;
	CLEANUP(msg_free) struct msg *m = NULL;

	(void)state;
	if (oom_refused(out_dialog(&d)))
		return;
	d.flow.proto = PROTO_TCP;
	dialog_put_request(&d,
			   &(struct draft){ .method = METHOD_INVITE,
					    .with_contact = true,
					    .branch = "z9hG4bKt01",
					    .local = &local },
			   &b);
	int r = buf_error(&b) ? -ENOMEM : parse_bytes(&m, buf_str(&b), &fault);
	buf_done(&b);
	dialog_done(&d);
	if (oom_refused(r))
		return;
	assert_int_equal(m->method, METHOD_INVITE);
	assert_true(str_eq(m->branch, STR("z9hG4bKt01")));
	assert_true(str_eq(m->from_tag, STR("ours")));
	assert_true(str_eq(m->contact_text, STR("sip:198.51.100.1:5060;transport=tcp")));
	assert_true(msg_lists(m, "Allow", STR("BYE")));
}

static void an_answer_completes_the_dialog(void **state)
{
	(void)state;
	CLEANUP(msg_free)
	struct msg *early = response("To: <sip:b@h>;tag=early\nContact: <sip:e@192.0.2.7>\n"
				     "Record-Route: <sip:p1.x;lr>, <sip:p2.x;lr>");
	CLEANUP(msg_free)
	struct msg *final = response("To: <sip:b@h>;tag=final");
	struct dialog d;

	if (!early || !final || oom_refused(out_dialog(&d)))
		return;
	if (oom_refused(dialog_update(&d, early)))
		goto done;
	assert_string_equal(d.remote_tag, "early");
	assert_string_equal(d.target, "sip:e@192.0.2.7");
	assert_string_equal(d.routes, "<sip:p2.x;lr>, <sip:p1.x;lr>");
	if (oom_refused(dialog_update(&d, final))) {
		assert_string_equal(d.remote_tag, "early");
		goto done;
	}
	assert_string_equal(d.remote_tag, "final");
	assert_string_equal(d.target, "sip:e@192.0.2.7");
	assert_null(d.routes);
done:
	dialog_done(&d);
}

static void a_target_is_refreshed_by_a_contact_only(void **state)
{
	(void)state;
	CLEANUP(msg_free)
	struct msg *with = invite_with("Contact: <sip:new@192.0.2.8;x=y?h=v&i=w>");
	CLEANUP(msg_free) struct msg *without = response("To: <sip:b@h>;tag=1");
	struct dialog d;

	if (!with || !without || oom_refused(out_dialog(&d)))
		return;
	if (!oom_refused(dialog_refresh_target(&d, with)))
		assert_string_equal(d.target, "sip:new@192.0.2.8;x=y");
	assert_int_equal(dialog_refresh_target(&d, without), 0);
	dialog_done(&d);
}

static void cseq_counts_up_unless_it_is_given(void **state)
{
	static const struct {
		enum method method;
		uint32_t given, written, next;
	} steps[] = {
		{ METHOD_INVITE, 0, 1, 1 },
		{ METHOD_ACK, 1, 1, 1 },
		{ METHOD_BYE, 0, 2, 2 },
	};
	struct addr local = our_address();
	struct dialog d;
	char expected[40];

	(void)state;
	if (oom_refused(out_dialog(&d)))
		return;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct buf b = BUF_INIT;

		dialog_put_request(&d,
				   &(struct draft){ .method = steps[i].method,
						    .cseq = steps[i].given,
						    .branch = "b",
						    .local = &local },
				   &b);
		(void)snprintf(expected, sizeof(expected), "\r\nCSeq: %u %s\r\n", steps[i].written,
			       method_name(steps[i].method));
		const char *text = text_of(&b);
		if (text)
			assert_non_null(strstr(text, expected));
		assert_int_equal(d.local_cseq, steps[i].next);
		buf_done(&b);
	}
	dialog_done(&d);
}

/* The first two things of a request: Request-URI and Route. */
static void expect_destination(const char *routes, const char *uri, const char *route)
{
	struct addr local = our_address();
	struct dialog d;
	struct buf b = BUF_INIT;
	char start[200], line[200];

	if (oom_refused(out_dialog(&d)))
		return;
	d.routes = str_dup(str_of(routes));
	dialog_put_request(
		&d, &(struct draft){ .method = METHOD_BYE, .branch = "b", .local = &local }, &b);
	const char *text = d.routes ? text_of(&b) : NULL;
	if (text) {
		(void)snprintf(start, sizeof(start), "BYE %s SIP/2.0\r\n", uri);
		(void)snprintf(line, sizeof(line), "\r\nRoute: %s\r\n", route);
		assert_memory_equal(text, start, strlen(start));
		assert_non_null(strstr(text, line));
	}
	buf_done(&b);
	dialog_done(&d);
}

static void loose_routers_leave_the_target_in_its_place(void **state)
{
	(void)state;
	expect_destination("<sip:p1;lr>, <sip:p2>", "sip:b@203.0.113.5", "<sip:p1;lr>, <sip:p2>");
	expect_destination("\"x, y\" <sip:p1;a=b;lr=on>", "sip:b@203.0.113.5",
			   "\"x, y\" <sip:p1;a=b;lr=on>");
}

static void a_strict_router_takes_the_request_uri(void **state)
{
	(void)state;
	expect_destination("<sip:p1;x=lr>, <sip:p2;lr>", "sip:p1;x=lr",
			   "<sip:p2;lr>, <sip:b@203.0.113.5>");
	expect_destination("<sip:p1?h=v>", "sip:p1", "<sip:b@203.0.113.5>");
}

static void a_contact_names_its_transport_unless_it_is_udp(void **state)
{
	static const char *const expected[] = {
		[PROTO_UDP] = "Contact: <sip:198.51.100.1:5060>\r\n",
		[PROTO_TCP] = "Contact: <sip:198.51.100.1:5060;transport=tcp>\r\n",
		[PROTO_TLS] = "Contact: <sip:198.51.100.1:5060;transport=tls>\r\n",
	};
	struct addr local = our_address();

	(void)state;
	for (int p = 0; p < PROTO_COUNT; p++) {
		struct buf b = BUF_INIT;

		dialog_put_contact(&local, (enum proto)p, false, &b);
		const char *text = text_of(&b);
		if (text)
			assert_string_equal(text, expected[p]);
		buf_done(&b);
	}
}

static void a_dialog_lives(void)
{
	CLEANUP(msg_free) struct msg *m = invite_with("Record-Route: <sip:p1.x;lr>");
	struct dialog d;

	if (!m || oom_refused(dialog_from_request(&d, m, "ours")))
		return;
	(void)oom_refused(dialog_update(&d, m));
	(void)oom_refused(dialog_refresh_target(&d, m));
	assert_non_null(d.target);
	assert_non_null(d.routes);
	dialog_done(&d);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	oom_each(a_dialog_lives);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_makes_our_side_of_the_dialog),
		cmocka_unit_test(a_caller_of_2543_has_no_tag_and_perhaps_no_contact),
		cmocka_unit_test(an_invite_has_all_that_an_invite_needs),
		cmocka_unit_test(what_is_written_can_be_read),
		cmocka_unit_test(an_answer_completes_the_dialog),
		cmocka_unit_test(a_target_is_refreshed_by_a_contact_only),
		cmocka_unit_test(cseq_counts_up_unless_it_is_given),
		cmocka_unit_test(loose_routers_leave_the_target_in_its_place),
		cmocka_unit_test(a_strict_router_takes_the_request_uri),
		cmocka_unit_test(a_contact_names_its_transport_unless_it_is_udp),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
