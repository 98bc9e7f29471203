#include "wire.h"

#include <errno.h>
#include <stdlib.h>

#include "dice.h"
#include "oom.h"
#include "transport/steer.h"

/*
 * One sip talks to itself over a link that loses, doubles, delays and reorders. Whatever the link
 * does, each side hears of each thing once, both agree on the end, and nothing stays behind.
 */

enum { ROUNDS = 3000, DELAY_MAX_MS = 150 };

/* A copy of a message on its way. */
struct packet {
	struct timer timer;
	size_t n;
	char bytes[];
};

static struct {
	struct wire w;
	struct dice dice;
	int loss, doubling; /* per cent */
	enum method method;
	int final; /* what the server says in the end */

	struct client_txn *client;
	struct server_txn *server;
	struct timer ring, answer, cancel;
	int in_flight, requests, cancels, acks;
	int provisionals, finals, last_status, fails, client_done, server_done, no_acks;
} s;

static int64_t now(void)
{
	return s.w.loop.now_ms;
}

static bool in_percent(int percent)
{
	return dice_in(&s.dice, 0, 99) < percent;
}

static void start_in(struct timer *t, int64_t max_ms)
{
	timer_start(&s.w.loop.wheel, t, now() + dice_in(&s.dice, 0, max_ms));
}

/* ---- the link ---- */

static void arrive(struct timer *t, int64_t now_ms)
{
	struct packet *p = CONTAINER(t, struct packet, timer);

	(void)now_ms;
	sip_receive(s.w.sip, &over_udp, str_n(p->bytes, p->n));
	s.in_flight--;
	free(p);
}

static void launch(struct str bytes)
{
	struct packet *p = malloc(sizeof(*p) + bytes.n);

	if (!p)
		return;
	p->n = bytes.n;
	memcpy(p->bytes, bytes.p, bytes.n);
	timer_init(&p->timer, arrive);
	start_in(&p->timer, DELAY_MAX_MS);
	s.in_flight++;
}

static void on_send(void *ctx, const struct flow *to, struct str bytes)
{
	(void)ctx;
	(void)to;
	if (in_percent(s.loss))
		return;
	launch(bytes);
	if (in_percent(s.doubling))
		launch(bytes);
}

/* ---- the server's user ---- */

static void reply(int code)
{
	if (s.server && !server_is_final(s.server))
		(void)server_reply(s.server, &(struct reply){ .code = code });
}

static void on_ring(struct timer *t, int64_t now_ms)
{
	(void)t;
	(void)now_ms;
	reply(180);
}

static void on_answer(struct timer *t, int64_t now_ms)
{
	(void)t;
	(void)now_ms;
	reply(s.final);
}

static void on_cancel(void *ctx, struct server_txn *t)
{
	(void)ctx;
	assert_ptr_equal(t, s.server);
	s.cancels++;
	s.final = 487;
	reply(487);
}

static void on_no_ack(void *ctx, struct server_txn *t)
{
	(void)ctx;
	(void)t;
	s.no_acks++;
}

static void on_server_done(void *ctx, struct server_txn *t)
{
	(void)ctx;
	assert_ptr_equal(t, s.server);
	s.server = NULL;
	s.server_done++;
}

static const struct server_owner server_side = { on_cancel, on_no_ack, on_server_done };

static void on_request(void *ctx, struct server_txn *t, const struct msg *m)
{
	(void)ctx;
	if (m->method == METHOD_ACK) {
		s.acks++;
		if (s.server && server_is_final(s.server))
			server_acked(s.server);
		return;
	}
	s.requests++;
	s.server = t;
	server_own(t, &server_side, NULL);
	start_in(&s.ring, 300);
	start_in(&s.answer, s.method == METHOD_INVITE ? 20000 : 1000);
}

static bool may_answer(void *ctx, const struct flow *from)
{
	(void)ctx;
	(void)from;
	return true; /* so a CANCEL that overtakes or outlives its INVITE is answered 481 */
}

/* ---- the client's user ---- */

static void send_request(const char *method, const char *branch)
{
	struct buf b = BUF_INIT;

	buf_printf(&b,
		   "%s sip:2@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=%s\r\n"
		   "From: <sip:1@192.0.2.9>;tag=f\r\nTo: <sip:2@192.0.2.1>\r\nCall-ID: c\r\n"
		   "CSeq: 1 %s\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		   method, branch, method);
	if (buf_error(&b) == 0 && strcmp(method, "ACK") == 0)
		(void)sip_send(s.w.sip, &over_udp, buf_str(&b));
	buf_done(&b);
}

static void on_response(void *ctx, struct client_txn *t, const struct msg *m)
{
	char branch[STEER_BRANCH];

	(void)ctx;
	assert_ptr_equal(t, s.client);
	assert_int_equal(s.fails, 0);
	if (m->status < 200) {
		assert_int_equal(s.finals, 0);
		s.provisionals++;
		return;
	}
	assert_true(s.finals == 0 || (m->status == 200 && s.method == METHOD_INVITE));
	s.finals++;
	s.last_status = m->status;
	if (m->status == 200 && s.method == METHOD_INVITE) {
		steer_mint_branch(branch, 1);
		send_request("ACK", branch);
	}
}

static void on_fail(void *ctx, struct client_txn *t, int error)
{
	(void)ctx;
	assert_ptr_equal(t, s.client);
	assert_int_equal(error, -ETIMEDOUT);
	assert_int_equal(s.finals, 0);
	s.fails++;
}

static void on_client_done(void *ctx, struct client_txn *t)
{
	(void)ctx;
	assert_ptr_equal(t, s.client);
	s.client = NULL;
	s.client_done++;
}

static const struct client_owner client_side = { on_response, on_fail, on_client_done };

static void on_give_up(struct timer *t, int64_t now_ms)
{
	(void)t;
	(void)now_ms;
	if (s.client)
		client_cancel(s.client);
}

static int begin_call(void)
{
	char branch[STEER_BRANCH];
	struct buf b = BUF_INIT;
	const char *method = method_name(s.method);
	int r = -ENOMEM;

	steer_mint_branch(branch, 0);
	buf_printf(&b,
		   "%s sip:2@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=%s\r\n"
		   "From: <sip:1@192.0.2.9>;tag=f\r\nTo: <sip:2@192.0.2.1>\r\nCall-ID: c\r\n"
		   "CSeq: 1 %s\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		   method, branch, method);
	if (buf_error(&b) == 0)
		r = client_send(&s.client, s.w.sip, s.method, branch, &over_udp, buf_str(&b),
				&client_side, NULL);
	buf_done(&b);
	return r;
}

/* ---- rounds ---- */

static const struct sip_user user = { .on_request = on_request, .may_answer = may_answer };

static void choose(void)
{
	static const int losses[] = { 0, 0, 10, 30, 60, 95 };
	static const int finals[] = { 200, 200, 486, 503 };

	s.loss = losses[dice_in(&s.dice, 0, COUNT_OF(losses) - 1)];
	s.doubling = (int)dice_in(&s.dice, 0, 50);
	s.method = dice_one_in(&s.dice, 3) ? METHOD_OPTIONS : METHOD_INVITE;
	s.final = finals[dice_in(&s.dice, 0, COUNT_OF(finals) - 1)];
	timer_init(&s.ring, on_ring);
	timer_init(&s.answer, on_answer);
	timer_init(&s.cancel, on_give_up);
}

static void judge(void)
{
	bool is_2xx = s.final == 200 && s.method == METHOD_INVITE;

	assert_int_equal(s.in_flight, 0);
	assert_int_equal(sip_txn_count(s.w.sip), 0);
	assert_int_equal(s.client_done, 1);
	assert_true(s.requests <= 1);
	assert_int_equal(s.server_done, s.requests);
	assert_true((s.finals > 0) != (s.fails > 0));
	assert_true(s.cancels <= 1);
	if (s.finals > 0) {
		assert_int_equal(s.requests, 1);
		assert_int_equal(s.last_status, s.final);
	}
	if (s.no_acks > 0)
		assert_true(is_2xx && s.loss > 0);
	if (s.loss == 0) {
		assert_int_equal(s.fails, 0);
		assert_int_equal(s.no_acks, 0);
		assert_true(!is_2xx || s.acks >= s.finals);
	}
}

/*
 * The user waits 10 s at most or a minute, since a phone whose answer is lost rings on for ever. So
 * all is over two minutes after the call began.
 */
static void round_of(struct dice *dice)
{
	memset(&s, 0, sizeof(s));
	if (wire_init(&s.w, &user) < 0)
		return;
	s.w.on_send = on_send;
	s.dice = *dice;
	choose();
	if (begin_call() == 0) {
		int64_t patience = dice_one_in(&s.dice, 3) ? dice_in(&s.dice, 0, 10000) : 60000;

		timer_start(&s.w.loop.wheel, &s.cancel, now() + patience);
		wire_later(&s.w, 150000);
		if (!oom_hit())
			judge();
	}
	*dice = s.dice;
	wire_done(&s.w);
}

static void both_sides_agree_whatever_the_link_does(void **state)
{
	struct dice dice = dice_new();
	int rounds = getenv("OOM") ? 1 : ROUNDS;

	(void)state;
	for (int i = 0; i < rounds; i++)
		round_of(&dice);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_agree_whatever_the_link_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
