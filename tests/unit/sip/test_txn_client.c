#include "wire.h"

#include <errno.h>

#include "oom.h"

/*
 * A case is a script of letters, one for each thing that happens, and the trace it must leave.
 *
 *	I  we send an INVITE     O  an OPTIONS     (both with the branch z9hG4bKt03aa)
 *	t r s f   100, 180, 200, 486 come     S  a 200 of another fork     x  a 200 of another branch
 *	c  client_cancel   C  200 to the CANCEL comes   d  detach   g  the connection breaks
 *	. 500 ms pass   , 100 ms   _ 4 s   L 32 s less 1 ms   n nothing but the end of the turn
 */
struct fixture {
	struct wire w;
	struct client_txn *t;
	const struct flow *flow;
	const char *method;
};

static struct fixture f;

static const char BRANCH[] = "z9hG4bKt03aa";

/* ---- the user ---- */

static void on_response(void *ctx, struct client_txn *t, const struct msg *m)
{
	assert_ptr_equal(ctx, &f);
	assert_ptr_equal(t, f.t);
	wire_note(&f.w, "%d", m->status);
}

static void on_fail(void *ctx, struct client_txn *t, int error)
{
	(void)ctx;
	assert_ptr_equal(t, f.t);
	wire_note(&f.w, "%s", error == -ETIMEDOUT ? "time-out" : "fail");
}

static void on_done(void *ctx, struct client_txn *t)
{
	(void)ctx;
	assert_ptr_equal(t, f.t);
	f.t = NULL;
	wire_note(&f.w, "done");
}

static const struct client_owner owner = { on_response, on_fail, on_done };

static void on_stray(void *ctx, const struct msg *m)
{
	(void)ctx;
	wire_note(&f.w, "stray-%d", m->status);
}

static const struct sip_user user = { .on_stray = on_stray };

/* ---- scripts ---- */

static const char REQUEST[] = "%s sip:2@192.0.2.9;x=y SIP/2.0\r\n"
			      "Route: <sip:192.0.2.9;lr>\r\n"
			      "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKt03aa;rport\r\n"
			      "Max-Forwards: 69\r\n"
			      "From: \"A\" <sip:1@192.0.2.1>;tag=t03f\r\n"
			      "To: <sip:2@192.0.2.9>\r\n"
			      "Call-ID: c\r\n"
			      "CSeq: 314 %s\r\n"
			      "Contact: <sip:192.0.2.1:5060>\r\n"
			      "Content-Type: application/sdp\r\n"
			      "Content-Length: 5\r\n\r\nv=0\r\n";

static void start(enum method method)
{
	struct buf b = BUF_INIT;
	int r = -ENOMEM;

	f.method = method_name(method);
	buf_printf(&b, REQUEST, f.method, f.method);
	if (buf_error(&b) == 0)
		r = client_send(&f.t, f.w.sip, method, BRANCH, f.flow, buf_str(&b), &owner, &f);
	buf_done(&b);
	if (r < 0)
		assert_true(oom_hit() || r == f.w.fails_with);
}

static void respond(int code, const char *branch, const char *tag, const char *method)
{
	struct buf b = BUF_INIT;
	const char *text;

	buf_printf(&b,
		   "SIP/2.0 %d What\nv: SIP/2.0/UDP 192.0.2.1:5060;branch=%s;rport=5060\n"
		   "From: \"A\" <sip:1@192.0.2.1>;tag=t03f\nTo: <sip:2@192.0.2.9>;tag=%s\n"
		   "Call-ID: c\nCSeq: 314 %s\nContent-Length: 0\n\n",
		   code, branch, tag, method);
	text = buf_cstr(&b);
	if (text)
		wire_receive(&f.w, f.flow, text);
	buf_done(&b);
}

static bool pass_time(char letter)
{
	static const struct {
		char letter;
		int ms;
	} times[] = { { '.', 500 }, { ',', 100 }, { '_', 4000 }, { 'L', 31999 }, { 'n', 0 } };

	for (size_t i = 0; i < COUNT_OF(times); i++) {
		if (times[i].letter == letter) {
			wire_later(&f.w, times[i].ms);
			return true;
		}
	}
	return false;
}

static bool come(char letter)
{
	static const struct {
		char letter;
		int code;
		const char *branch, *tag;
	} responses[] = {
		{ 't', 100, BRANCH, "x" }, { 'r', 180, BRANCH, "x" },
		{ 's', 200, BRANCH, "x" }, { 'f', 486, BRANCH, "x" },
		{ 'S', 200, BRANCH, "y" }, { 'x', 200, "z9hG4bKother", "x" },
	};

	for (size_t i = 0; i < COUNT_OF(responses); i++) {
		if (responses[i].letter == letter) {
			respond(responses[i].code, responses[i].branch, responses[i].tag, f.method);
			return true;
		}
	}
	if (letter == 'C')
		respond(200, BRANCH, "x", "CANCEL");
	return letter == 'C';
}

static void act(char letter)
{
	switch (letter) {
	case 'I':
		start(METHOD_INVITE);
		break;
	case 'O':
		start(METHOD_OPTIONS);
		break;
	case 'c':
		client_cancel(f.t);
		break;
	case 'd':
		client_detach(f.t);
		f.t = NULL;
		break;
	case 'g':
		sip_gone(f.w.sip, f.flow, -ECONNRESET);
		break;
	default:
		fail_msg("no such letter: %c", letter);
	}
}

static void play(const char *script)
{
	for (; *script; script++)
		if (!pass_time(*script) && !come(*script) &&
		    (f.t || *script == 'I' || *script == 'O' || !oom_hit()))
			act(*script);
}

struct row {
	const char *script, *trace;
};

/* SS_SIP_RESEND_INTERVAL of the next check. */
static const int64_t *resends;
static int resend_count;

static void check(const struct flow *flow, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		f = (struct fixture){ .flow = flow };
		if (wire_init(&f.w, &user) < 0)
			return;
		sip_set_resends(f.w.sip, resends, resend_count);
		play(rows[i].script);
		wire_expect(&f.w, rows[i].script, rows[i].trace);

		bool is_ringing = f.t && client_has_provisional(f.t);

		wire_later(&f.w, 70000);
		if (!is_ringing && !oom_hit())
			assert_int_equal(sip_txn_count(f.w.sip), 0);
		wire_done(&f.w);
	}
}

static void an_invite_goes_by_the_table(void **state)
{
	static const struct row rows[] = {
		/* calling: A at 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s, B at 32 s */
		{ "I,,,,", ">INVITE" },
		{ "I.", ">INVITE >INVITE" },
		{ "I...", ">INVITE >INVITE >INVITE" },
		{ "IL", ">INVITE >INVITE >INVITE >INVITE >INVITE >INVITE >INVITE" },
		{ "IL,", ">INVITE >INVITE >INVITE >INVITE >INVITE >INVITE >INVITE time-out done" },
		{ "IL,s", ">INVITE >INVITE >INVITE >INVITE >INVITE >INVITE >INVITE time-out done "
			  "stray-200" },
		/* proceeding: rings as long as the user lets it */
		{ "It_", ">INVITE 100" },
		{ "ItrrL,L,", ">INVITE 100 180 180" },
		/* completed: every repeat gets the ACK, for 32 s */
		{ "If", ">INVITE >ACK 486" },
		{ "Irf_", ">INVITE 180 >ACK 486" },
		{ "Ifff", ">INVITE >ACK 486 >ACK >ACK" },
		{ "Ifr", ">INVITE >ACK 486" },
		{ "IfLf", ">INVITE >ACK 486 >ACK" },
		{ "IfL,", ">INVITE >ACK 486 done" },
		{ "IfL,f", ">INVITE >ACK 486 done" },
		{ "IfS", ">INVITE >ACK 486 stray-200" },
		/* accepted: every 2xx, of every fork, for 64*T1 */
		{ "Is_", ">INVITE 200" },
		{ "IrsSs", ">INVITE 180 200 200 200" },
		{ "Isr", ">INVITE 200" },
		{ "Isf", ">INVITE 200" },
		{ "IsL,", ">INVITE 200 done" },
		{ "IsL,s", ">INVITE 200 done stray-200" },
		/* not ours */
		{ "Ix", ">INVITE stray-200" },
	};

	(void)state;
	check(&over_udp, rows, COUNT_OF(rows));
}

static void a_cancel_waits_for_a_provisional_answer(void **state)
{
	static const struct row rows[] = {
		{ "Irc", ">INVITE 180 >CANCEL" },
		{ "Ic", ">INVITE" },
		{ "Ict", ">INVITE >CANCEL 100" },
		{ "Iccrrc", ">INVITE >CANCEL 180 180" },
		{ "Ircc", ">INVITE 180 >CANCEL" },
		/* it is repeated by itself, until it is answered */
		{ "Irc...", ">INVITE 180 >CANCEL >CANCEL >CANCEL" },
		{ "IrcC_", ">INVITE 180 >CANCEL" },
		{ "IrcCf", ">INVITE 180 >CANCEL >ACK 486" },
		/* the 2xx that crosses it */
		{ "Ircs", ">INVITE 180 >CANCEL 200" },
		{ "Ircds", ">INVITE 180 >CANCEL stray-200" },
		/* nobody answers */
		{ "IrcCL", ">INVITE 180 >CANCEL" },
		{ "IrcCL,", ">INVITE 180 >CANCEL time-out done" },
		{ "IrcCL,f", ">INVITE 180 >CANCEL time-out done" },
		{ "IcL,", ">INVITE >INVITE >INVITE >INVITE >INVITE >INVITE >INVITE time-out done" },
		/* too late */
		{ "Isc", ">INVITE 200" },
		{ "Ifc", ">INVITE >ACK 486" },
		{ "Icf", ">INVITE >ACK 486" },
		{ "Ics", ">INVITE 200" },
		{ "Oc", ">OPTIONS" },
	};

	(void)state;
	check(&over_udp, rows, COUNT_OF(rows));
}

static void other_requests_go_by_their_table(void **state)
{
	static const struct row rows[] = {
		/* calling: E at 0.5, 1.5, 3.5, 7.5, 11.5 ... 31.5 s, F at 32 s */
		{ "O.", ">OPTIONS >OPTIONS" },
		{ "O..", ">OPTIONS >OPTIONS" },
		{ "O__", ">OPTIONS >OPTIONS >OPTIONS >OPTIONS >OPTIONS" },
		{ "OL,", ">OPTIONS >OPTIONS >OPTIONS >OPTIONS >OPTIONS >OPTIONS >OPTIONS >OPTIONS "
			 ">OPTIONS >OPTIONS >OPTIONS time-out done" },
		/* proceeding: every T2 from then on, and F goes on */
		{ "Or.", ">OPTIONS 180 >OPTIONS" },
		{ "Or._", ">OPTIONS 180 >OPTIONS >OPTIONS" },
		{ "O.r.._", ">OPTIONS >OPTIONS 180 >OPTIONS >OPTIONS" },
		{ "OrL,", ">OPTIONS 180 >OPTIONS >OPTIONS >OPTIONS >OPTIONS >OPTIONS >OPTIONS "
			  ">OPTIONS >OPTIONS time-out done" },
		/* completed: absorbs for T4 */
		{ "Os", ">OPTIONS 200" },
		{ "Orf_", ">OPTIONS 180 486" },
		{ "Ossfr", ">OPTIONS 200" },
		{ "Os_..", ">OPTIONS 200 done" },
		{ "Os_..s", ">OPTIONS 200 done" },
	};

	(void)state;
	check(&over_udp, rows, COUNT_OF(rows));
}

static void a_list_of_waits_takes_the_place_of_t1(void **state)
{
	static const int64_t waits[] = { 100, 100, 4000 };
	static const struct row rows[] = {
		{ "I,", ">INVITE >INVITE" },
		{ "I,,", ">INVITE >INVITE >INVITE" },
		{ "I,,....", ">INVITE >INVITE >INVITE" },
		{ "I,,_", ">INVITE >INVITE >INVITE >INVITE" },
		{ "IL,", ">INVITE >INVITE >INVITE >INVITE time-out done" },
		{ "It_", ">INVITE 100" },
		{ "O,,", ">OPTIONS >OPTIONS >OPTIONS" },
		{ "O,r,", ">OPTIONS >OPTIONS 180 >OPTIONS" },
		{ "OL,", ">OPTIONS >OPTIONS >OPTIONS >OPTIONS time-out done" },
		{ "Irc,", ">INVITE 180 >CANCEL >CANCEL" },
	};

	(void)state;
	resends = waits;
	resend_count = 3;
	check(&over_udp, rows, COUNT_OF(rows));
	resend_count = 0;
}

static void on_a_stream_nothing_is_repeated(void **state)
{
	static const struct row rows[] = {
		{ "IL,", ">INVITE time-out done" },
		{ "OL,", ">OPTIONS time-out done" },
		{ "Ifn", ">INVITE >ACK 486 done" },
		{ "Osn", ">OPTIONS 200 done" },
		{ "IsL,", ">INVITE 200 done" },
		{ "Irc_", ">INVITE 180 >CANCEL" },
		/* the connection breaks: who waits is told, at the end of the turn */
		{ "Ig", ">INVITE" },
		{ "Ign", ">INVITE fail done" },
		{ "Irgn", ">INVITE 180 fail done" },
		{ "Ogn", ">OPTIONS fail done" },
		{ "Isgn", ">INVITE 200" },
		{ "Idgn", ">INVITE" },
	};

	(void)state;
	check(&over_tcp, rows, COUNT_OF(rows));
}

static void another_connection_may_break(void **state)
{
	struct flow other = over_tcp;

	(void)state;
	f = (struct fixture){ .flow = &over_tcp };
	if (wire_init(&f.w, &user) < 0)
		return;
	play("I");
	other.conn++;
	sip_gone(f.w.sip, &other, -ECONNRESET);
	other = over_tcp;
	other.worker++;
	sip_gone(f.w.sip, &other, -ECONNRESET);
	play("nr");
	wire_expect(&f.w, "another connection", ">INVITE 180");
	wire_done(&f.w);
}

static void a_detached_transaction_lives_by_itself(void **state)
{
	static const struct row rows[] = {
		{ "Id...", ">INVITE >INVITE >INVITE" },
		{ "IdL,_", ">INVITE >INVITE >INVITE >INVITE >INVITE >INVITE >INVITE" },
		{ "Idrff", ">INVITE >ACK >ACK" },
		{ "Ids", ">INVITE stray-200" },
		{ "Isds", ">INVITE 200 stray-200" },
		{ "Odrs", ">OPTIONS" },
	};

	(void)state;
	check(&over_udp, rows, COUNT_OF(rows));
}

static void what_cannot_be_sent_is_no_transaction(void **state)
{
	(void)state;
	f = (struct fixture){ .flow = &over_udp };
	if (wire_init(&f.w, &user) < 0)
		return;
	f.w.fails_with = -ENOTCONN;
	play("I");
	assert_null(f.t);
	assert_int_equal(sip_txn_count(f.w.sip), 0);
	wire_later(&f.w, 40000);
	wire_expect(&f.w, "nothing", "");
	wire_done(&f.w);
}

static bool last_is(const char *expected)
{
	return str_eq(buf_str(&f.w.last), str_of(expected));
}

static void ack_and_cancel_are_made_from_the_invite(void **state)
{
	(void)state;
	f = (struct fixture){ .flow = &over_udp };
	if (wire_init(&f.w, &user) < 0)
		return;
	play("Irc");
	assert_true(oom_hit() ||
		    last_is("CANCEL sip:2@192.0.2.9;x=y SIP/2.0\r\nMax-Forwards: 70\r\n"
			    "Route: <sip:192.0.2.9;lr>\r\n"
			    "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKt03aa;rport\r\n"
			    "From: \"A\" <sip:1@192.0.2.1>;tag=t03f\r\nTo: <sip:2@192.0.2.9>\r\n"
			    "Call-ID: c\r\nCSeq: 314 CANCEL\r\nContent-Length: 0\r\n\r\n"));
	play("f");
	assert_true(
		oom_hit() ||
		last_is("ACK sip:2@192.0.2.9;x=y SIP/2.0\r\nMax-Forwards: 70\r\n"
			"Route: <sip:192.0.2.9;lr>\r\n"
			"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKt03aa;rport\r\n"
			"From: \"A\" <sip:1@192.0.2.1>;tag=t03f\r\nTo: <sip:2@192.0.2.9>;tag=x\r\n"
			"Call-ID: c\r\nCSeq: 314 ACK\r\nContent-Length: 0\r\n\r\n"));
	wire_done(&f.w);
}

static void one_call_without_leaks(void)
{
	f = (struct fixture){ .flow = &over_udp };
	if (wire_init(&f.w, &user) < 0) {
		assert_true(oom_hit());
		return;
	}
	play("I");
	if (f.t)
		play("rcCf_");
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
		cmocka_unit_test(a_cancel_waits_for_a_provisional_answer),
		cmocka_unit_test(other_requests_go_by_their_table),
		cmocka_unit_test(a_list_of_waits_takes_the_place_of_t1),
		cmocka_unit_test(on_a_stream_nothing_is_repeated),
		cmocka_unit_test(another_connection_may_break),
		cmocka_unit_test(a_detached_transaction_lives_by_itself),
		cmocka_unit_test(what_cannot_be_sent_is_no_transaction),
		cmocka_unit_test(ack_and_cancel_are_made_from_the_invite),
		cmocka_unit_test(memory_may_run_out_at_any_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
