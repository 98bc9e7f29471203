#include "wire.h"

#include <errno.h>

#include "oom.h"
#include "transport/steer.h"

/*
 * A case is a script of letters, one for each thing that happens, and the trace it must leave. What
 * we do is done to the last transaction that the user was given.
 *
 *	I  INVITE     A  its ACK (same branch)    K  an ACK with a branch of its own
 *	C  its CANCEL   B  BYE    others: see `messages`
 *	t r s f       we reply 100, 180, 200, 486; l: 408
 *	k acked   d detach   x drop   z refuse with 401   m reply 180 but the transport is broken
 *	. 500 ms pass   , 100 ms   _ 4 s   L 32 s less 1 ms   n nothing but the end of the turn
 */
struct fixture {
	struct wire w;
	struct server_txn *t;
	const struct flow *flow;
	bool is_known, is_elsewhere;
	size_t unanswered; /* INVITEs: they alone stay as long as the user wants */
};

static struct fixture f;

/* ---- the user ---- */

static void on_cancel(void *ctx, struct server_txn *t)
{
	assert_ptr_equal(ctx, &f);
	assert_ptr_equal(t, f.t);
	wire_note(&f.w, "cancel");
}

static void on_no_ack(void *ctx, struct server_txn *t)
{
	(void)ctx;
	assert_ptr_equal(t, f.t);
	wire_note(&f.w, "no-ack");
}

static void on_done(void *ctx, struct server_txn *t)
{
	(void)ctx;
	if (t == f.t) /* a script may have made several */
		f.t = NULL;
	wire_note(&f.w, "done");
}

static const struct server_owner owner = { on_cancel, on_no_ack, on_done };

static void on_request(void *ctx, struct server_txn *t, const struct msg *m)
{
	(void)ctx;
	wire_note(&f.w, "%s", method_name(m->method));
	assert_int_equal(t == NULL, m->method == METHOD_ACK);
	if (!t)
		return;
	assert_ptr_equal(server_request(t), m);
	f.t = t;
	f.unanswered += m->method == METHOD_INVITE;
	server_own(t, &owner, &f);
}

static bool may_answer(void *ctx, const struct flow *from)
{
	(void)ctx;
	(void)from;
	return f.is_known;
}

static bool pass_on(void *ctx, const struct msg *m, struct str raw)
{
	(void)ctx;
	assert_true(str_has_prefix(raw, str_of(method_name(m->method))));
	if (f.is_elsewhere)
		wire_note(&f.w, "pass-%s", method_name(m->method));
	return f.is_elsewhere;
}

static const struct sip_user user = { .on_request = on_request,
				      .may_answer = may_answer,
				      .pass_on = pass_on };

/* ---- scripts ---- */

#define HEAD(via, number, method)                                \
	"Via: SIP/2.0/UDP 192.0.2.9:5060" via "\n"               \
	"From: <sip:1@192.0.2.9>;tag=f\nTo: <sip:2@192.0.2.1>\n" \
	"Call-ID: c\nCSeq: " number " " method "\nMax-Forwards: 70\nContent-Length: 0\n\n"

static const struct {
	char letter;
	const char *lines;
} messages[] = {
	{ 'I', "INVITE sip:2@192.0.2.1 SIP/2.0\n" HEAD(";branch=z9hG4bKa;rport", "1", "INVITE") },
	{ 'A', "ACK sip:2@192.0.2.1 SIP/2.0\n" HEAD(";branch=z9hG4bKa;rport", "1", "ACK") },
	{ 'K', "ACK sip:2@192.0.2.1 SIP/2.0\n" HEAD(";branch=z9hG4bKb", "1", "ACK") },
	{ 'C', "CANCEL sip:2@192.0.2.1 SIP/2.0\n" HEAD(";branch=z9hG4bKa;rport", "1", "CANCEL") },
	{ 'B', "BYE sip:2@192.0.2.1 SIP/2.0\n" HEAD(";branch=z9hG4bKc", "2", "BYE") },
	/* the same branch, wrongly, for the next request */
	{ 'J', "INVITE sip:2@192.0.2.1 SIP/2.0\n" HEAD(";branch=z9hG4bKa;rport", "2", "INVITE") },
	/* the same branch of another host */
	{ 'H', "INVITE sip:2@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.8;branch=z9hG4bKa\n"
	       "From: <sip:1@192.0.2.9>;tag=g\nTo: <sip:2@192.0.2.1>\nCall-ID: d\nCSeq: 1 INVITE\n"
	       "Max-Forwards: 70\nContent-Length: 0\n\n" },
	/* of RFC 2543 */
	{ 'i', "INVITE sip:2@192.0.2.1 SIP/2.0\n" HEAD("", "1", "INVITE") },
	{ 'a', "ACK sip:2@192.0.2.1 SIP/2.0\n" HEAD("", "1", "ACK") },
	{ 'c', "CANCEL sip:2@192.0.2.1 SIP/2.0\n" HEAD("", "1", "CANCEL") },
	{ 'j', "INVITE sip:3@192.0.2.1 SIP/2.0\n" HEAD("", "1", "INVITE") },
	/* broken: two lengths; a response; an ACK */
	{ '!', "INVITE sip:2@192.0.2.1 SIP/2.0\nl: 1\n" HEAD(";branch=z9hG4bKd", "1", "INVITE") },
	{ '?', "SIP/2.0 999 What\n" HEAD(";branch=z9hG4bKd", "1", "INVITE") },
	{ '#', "ACK sip:2@192.0.2.1 SIP/2.0\nl: 1\n" HEAD(";branch=z9hG4bKd", "1", "ACK") },
};

static const struct {
	char letter;
	int ms;
} times[] = { { '.', 500 }, { ',', 100 }, { '_', 4000 }, { 'L', 31999 }, { 'n', 0 } };

static const struct {
	char letter;
	int code;
} replies[] = { { 't', 100 }, { 'r', 180 }, { 's', 200 }, { 'f', 486 }, { 'l', 408 } };

static bool receive(char letter)
{
	for (size_t i = 0; i < COUNT_OF(messages); i++) {
		if (messages[i].letter == letter) {
			wire_receive(&f.w, f.flow, messages[i].lines);
			return true;
		}
	}
	return false;
}

static bool pass_time(char letter)
{
	for (size_t i = 0; i < COUNT_OF(times); i++) {
		if (times[i].letter == letter) {
			wire_later(&f.w, times[i].ms);
			return true;
		}
	}
	return false;
}

static void note_answer(void)
{
	f.unanswered -= server_request(f.t)->method == METHOD_INVITE;
}

static void reply(int code)
{
	if (code >= 200)
		note_answer();

	int r = server_reply(f.t, &(struct reply){ .code = code });

	if (r < 0 && !oom_hit())
		assert_int_equal(r, f.w.fails_with);
}

static bool answer(char letter)
{
	for (size_t i = 0; i < COUNT_OF(replies); i++) {
		if (replies[i].letter == letter) {
			reply(replies[i].code);
			return true;
		}
	}
	return false;
}

/* Ends it in a way that leaves us without it. */
static void give_away(char letter)
{
	if (letter != 'd')
		note_answer();
	if (letter == 'd')
		server_detach(f.t);
	else if (letter == 'x')
		server_drop(f.t);
	else
		(void)server_refuse(f.t, &(struct reply){ .code = 401 });
	f.t = NULL;
}

static void act(char letter)
{
	if (answer(letter))
		return;
	switch (letter) {
	case 'k':
		server_acked(f.t);
		break;
	case 'd':
	case 'x':
	case 'z':
		give_away(letter);
		break;
	case 'm':
		f.w.fails_with = -ENOTCONN;
		reply(180);
		f.w.fails_with = 0;
		break;
	default:
		fail_msg("no such letter: %c", letter);
	}
}

static void play(const char *script)
{
	for (; *script; script++)
		if (!receive(*script) && !pass_time(*script) && (f.t || !oom_hit()))
			act(*script);
}

/* False if memory is short. */
static bool begin(const struct flow *flow, bool is_known)
{
	f = (struct fixture){ .flow = flow, .is_known = is_known };
	return wire_init(&f.w, &user) == 0;
}

struct row {
	const char *script, *trace;
};

static void check(const struct flow *flow, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!begin(flow, true))
			return;
		play(rows[i].script);
		wire_expect(&f.w, rows[i].script, rows[i].trace);
		wire_later(&f.w, 70000);
		if (!oom_hit())
			assert_int_equal(sip_txn_count(f.w.sip), f.unanswered);
		wire_done(&f.w);
	}
}

static void an_invite_goes_by_the_table(void **state)
{
	static const struct row rows[] = {
		/* proceeding */
		{ "I", "INVITE" },
		{ "II", "INVITE" },
		{ "It", "INVITE >100" },
		{ "ItI", "INVITE >100 >100" },
		{ "Itr.I", "INVITE >100 >180 >180" },
		{ "IrL_", "INVITE >180" },
		{ "IA", "INVITE" },
		{ "IK", "INVITE ACK" },
		{ "IrC", "INVITE >180 >200 cancel" },
		{ "IC", "INVITE >200 cancel" },
		{ "ICC", "INVITE >200 cancel >200" },
		{ "ICfA", "INVITE >200 cancel >486" },
		{ "Im", "INVITE" },
		{ "ImI", "INVITE >180" },
		/* completed: G at 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5 s and no more (F7), H at 32 s */
		{ "If,,,,", "INVITE >486" },
		{ "If.", "INVITE >486 >486" },
		{ "If..", "INVITE >486 >486" },
		{ "If...", "INVITE >486 >486 >486" },
		{ "If_", "INVITE >486 >486 >486 >486" },
		{ "If____", "INVITE >486 >486 >486 >486 >486 >486 >486" },
		{ "If_____", "INVITE >486 >486 >486 >486 >486 >486 >486 >486" },
		{ "IfL", "INVITE >486 >486 >486 >486 >486 >486 >486 >486" },
		{ "IfL,", "INVITE >486 >486 >486 >486 >486 >486 >486 >486 done" },
		{ "IfI", "INVITE >486 >486" },
		{ "IfC", "INVITE >486 >200" },
		{ "IfK", "INVITE >486 ACK" },
		/* confirmed: absorbs for T4 */
		{ "IfA", "INVITE >486" },
		{ "IfA._", "INVITE >486" },
		{ "IfAIA", "INVITE >486" },
		{ "IfAC", "INVITE >486 >200" },
		{ "IfA...._", "INVITE >486 done" },
		{ "IfA___", "INVITE >486 done" },
		/* accepted: repeats until acknowledged, absorbs until L */
		{ "Is", "INVITE >200" },
		{ "Is.", "INVITE >200 >200" },
		{ "IsI", "INVITE >200" },
		{ "IsA", "INVITE >200 ACK" },
		{ "IsK", "INVITE >200 ACK" },
		{ "IsC", "INVITE >200 >200" },
		{ "Is.k_", "INVITE >200 >200" },
		{ "IskIL", "INVITE >200" },
		{ "IskL,", "INVITE >200 done" },
		{ "IsL,", "INVITE >200 >200 >200 >200 >200 >200 >200 >200 no-ack done" },
		{ "IsdL,", "INVITE >200 >200 >200 >200 >200 >200 >200 >200" },
		/* over */
		{ "IskL,I", "INVITE >200 done INVITE" },
		{ "IfA___I", "INVITE >486 done INVITE" },
	};

	(void)state;
	check(&over_udp, rows, COUNT_OF(rows));
}

static void on_a_stream_nothing_is_repeated_but_the_2xx(void **state)
{
	static const struct row rows[] = {
		{ "If_____", "INVITE >486" },
		{ "IfI", "INVITE >486 >486" },
		{ "IfL,", "INVITE >486 done" },
		{ "IfAn", "INVITE >486 done" },
		{ "IsL,", "INVITE >200 >200 >200 >200 >200 >200 >200 >200 no-ack done" },
		{ "Bsn", "BYE >200 done" },
		{ "BsnB", "BYE >200 done BYE" },
		{ "BfB", "BYE >486 >486" },
	};

	(void)state;
	check(&over_tcp, rows, COUNT_OF(rows));
}

static void other_requests_go_by_their_table(void **state)
{
	static const struct row rows[] = {
		/* trying: nobody is asked twice, and nobody waits longer than 64*T1 */
		{ "BB", "BYE" },
		{ "BL", "BYE" },
		{ "BL,", "BYE done" },
		/* proceeding */
		{ "BrB", "BYE >180 >180" },
		{ "Br____", "BYE >180" },
		{ "BrL,", "BYE >180 done" },
		/* completed: the answer again, for J */
		{ "Bs", "BYE >200" },
		{ "Bs____", "BYE >200" },
		{ "BsBB", "BYE >200 >200 >200" },
		{ "BfLB", "BYE >486 >486" },
		{ "BsL,", "BYE >200 done" },
		{ "BsL,B", "BYE >200 done BYE" },
		{ "_B__s____", "BYE >200" },
		/* a 408 is not said to anybody (RFC 4320) */
		{ "BlB", "BYE" },
		{ "BlL,", "BYE done" },
	};

	(void)state;
	check(&over_udp, rows, COUNT_OF(rows));
}

static void a_request_is_known_by_branch_host_and_number(void **state)
{
	static const struct row rows[] = {
		{ "IHI", "INVITE INVITE" },
		{ "IJI", "INVITE INVITE" },
		{ "IfJ", "INVITE >486 INVITE" },
		/* RFC 2543: no magic cookie */
		{ "ii", "INVITE" },
		{ "ifi", "INVITE >486 >486" },
		{ "ifa___", "INVITE >486 done" },
		{ "isa", "INVITE >200 ACK" },
		{ "ic", "INVITE >200 cancel" },
		{ "ij", "INVITE INVITE" },
	};

	(void)state;
	check(&over_udp, rows, COUNT_OF(rows));
}

static void what_is_dropped_or_refused_leaves_nothing(void **state)
{
	static const struct row rows[] = {
		{ "Ix", "INVITE" },
		{ "IxI", "INVITE INVITE" },
		{ "IxnA", "INVITE ACK" },
		{ "Ixn____", "INVITE" },
		{ "Iz", "INVITE >401" },
		{ "Izn____", "INVITE >401" },
		{ "IzI", "INVITE >401 INVITE" },
		{ "BrznB", "BYE >180 >401 BYE" },
	};

	(void)state;
	check(&over_udp, rows, COUNT_OF(rows));
	for (size_t i = 0; i < 2; i++) {
		if (!begin(&over_udp, false))
			return;
		play(i ? "Ix" : "Iz");
		wire_later(&f.w, 0); /* the end of the turn */
		assert_int_equal(sip_txn_count(f.w.sip), 0);
		play(i ? "Ix" : "Iz"); /* and with the turn not over */
		wire_done(&f.w);
	}
}

static void a_stranger_is_not_answered(void **state)
{
	static const struct {
		const char *script, *stranger, *known;
	} rows[] = {
		{ "!", "", ">400" },   { "?", "", "" },       { "#", "", "" },
		{ "C", "", ">481" },   { "c", "", ">481" },   { "CC", "", ">481 >481" },
		{ "B", "BYE", "BYE" }, { "K", "ACK", "ACK" },
	};

	(void)state;
	for (size_t i = 0; i < 2 * COUNT_OF(rows); i++) {
		bool is_known = i % 2;

		if (!begin(&over_udp, is_known))
			return;
		play(rows[i / 2].script);
		wire_expect(&f.w, rows[i / 2].script,
			    is_known ? rows[i / 2].known : rows[i / 2].stranger);
		wire_done(&f.w);
	}
}

static void a_cancel_from_another_host_cancels_nothing(void **state)
{
	struct flow other = over_udp, port = over_udp;

	(void)state;
	if (!begin(&over_udp, true))
		return;
	play("Ir");
	wire_expect(&f.w, "ringing", "INVITE >180");
	other.peer.in.sin_addr.s_addr ^= htonl(1);
	f.flow = &other;
	play("C");
	wire_expect(&f.w, "from another host", ">481");
	wire_later(&f.w, 33000); /* that transaction is over */
	addr_set_port(&port.peer, 5999);
	f.flow = &port;
	play("C");
	wire_expect(&f.w, "from another port", ">200 cancel");
	wire_done(&f.w);
}

/* Was it part of the last message? Or memory ran out on purpose. */
static bool last_has(const char *text)
{
	return oom_hit() || str_find(buf_str(&f.w.last), str_of(text)) >= 0;
}

/* The tag of To in the last message. */
static void take_tag(char tag[static STEER_TOKEN])
{
	const struct str before = STR("sip:2@192.0.2.1>;tag=");
	struct str last = buf_str(&f.w.last);
	ptrdiff_t at = str_find(last, before);

	assert_true(at > 0);
	last = str_head(str_skip(last, (size_t)at + before.n), STEER_TOKEN - 1);
	assert_int_equal(str_copy(tag, STEER_TOKEN, last), 0);
}

static void the_tag_is_the_same_in_all_answers(void **state)
{
	char tag[STEER_TOKEN];

	(void)state;
	if (!begin(&over_udp, true))
		return;
	play("It");
	assert_true(last_has("To: <sip:2@192.0.2.1>\r\n"));
	play("C"); /* mints it */
	if (!oom_hit()) {
		take_tag(tag);
		assert_int_equal(steer_token_worker(str_of(tag)), 3);
		play("f");
		assert_true(last_has("SIP/2.0 486"));
		assert_true(last_has(tag));
	}
	wire_done(&f.w);
}

static void a_reply_carries_what_it_was_given(void **state)
{
	static const char *const parts[] = {
		"SIP/2.0 183 Going On\r\n",
		"\r\nTo: <sip:2@192.0.2.1>;tag=mine\r\n",
		"\r\nContact: <sip:192.0.2.1:5061;transport=tcp>\r\nX-A: b\r\nX-C: d\r\n",
		"\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello",
	};
	struct addr contact;

	(void)state;
	if (!begin(&over_tcp, true))
		return;
	play("I");
	assert_int_equal(addr_parse(STR("192.0.2.1:5061"), 0, &contact), 0);
	if (f.t)
		(void)server_reply(f.t, &(struct reply){ .code = 183,
							 .phrase = "Going On",
							 .to_tag = "mine",
							 .contact = &contact,
							 .extra = STR("X-A: b\r\nX-C: d\r\n"),
							 .content_type = STR("text/plain"),
							 .body = STR("hello") });
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		assert_true(last_has(parts[i]));
	assert_true(oom_hit() || f.w.last_flow.conn == 7);
	wire_done(&f.w);
}

static void the_request_is_gone_after_the_final_answer(void **state)
{
	(void)state;
	if (!begin(&over_udp, true))
		return;
	play("Ir");
	if (f.t) {
		assert_non_null(server_request(f.t));
		assert_false(server_is_final(f.t));
		play("s");
		assert_null(server_request(f.t));
		assert_true(server_is_final(f.t));
		play("n");
	}
	wire_done(&f.w);
}

/* Only what no transaction here waits for may be another worker's. */
static void what_belongs_to_nothing_here_may_be_another_workers(void **state)
{
	(void)state;
	if (!begin(&over_udp, true))
		return;
	play("Ir");
	f.is_elsewhere = true;
	play("ICBKBs");
	wire_expect(&f.w, "elsewhere",
		    "INVITE >180 >180 >200 cancel pass-BYE pass-ACK pass-BYE >200");
	f.is_elsewhere = false;
	play("B");
	wire_expect(&f.w, "here", "BYE");
	wire_done(&f.w);
}

static void a_sum_is_kept_of_what_went_wrong(void **state)
{
	(void)state;
	if (!begin(&over_udp, true))
		return;
	play("?!IIrI");
	if (!oom_hit()) {
		assert_int_equal(sip_stats(f.w.sip)->bad_messages, 2);
		assert_int_equal(sip_stats(f.w.sip)->retransmissions_in, 2);
		assert_int_equal(sip_stats(f.w.sip)->retransmissions_out, 1);
	}
	wire_done(&f.w);
}

static void one_call_without_leaks(void)
{
	if (!begin(&over_udp, true)) {
		assert_true(oom_hit());
		return;
	}
	play("ItrCsL");
	wire_done(&f.w);
}

static void memory_may_run_out_at_any_place(void **state)
{
	(void)state;
	oom_each(one_call_without_leaks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_invite_goes_by_the_table),
		cmocka_unit_test(on_a_stream_nothing_is_repeated_but_the_2xx),
		cmocka_unit_test(other_requests_go_by_their_table),
		cmocka_unit_test(a_request_is_known_by_branch_host_and_number),
		cmocka_unit_test(what_is_dropped_or_refused_leaves_nothing),
		cmocka_unit_test(a_stranger_is_not_answered),
		cmocka_unit_test(a_cancel_from_another_host_cancels_nothing),
		cmocka_unit_test(the_tag_is_the_same_in_all_answers),
		cmocka_unit_test(a_reply_carries_what_it_was_given),
		cmocka_unit_test(the_request_is_gone_after_the_final_answer),
		cmocka_unit_test(what_belongs_to_nothing_here_may_be_another_workers),
		cmocka_unit_test(a_sum_is_kept_of_what_went_wrong),
		cmocka_unit_test(memory_may_run_out_at_any_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
