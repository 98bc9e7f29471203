#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "sip/txn_private.h"

/*
 * The server side: RFC 3261 §17.2 as corrected by RFC 6026.
 *
 *	INVITE      proceeding ─ 300-699 → completed ─ ACK → confirmed ─ I → gone
 *	                │                      └──────── H ────────────────→ gone
 *	                └─ 2xx → accepted ─ L → gone      (repeats the 2xx until server_acked)
 *
 *	others      trying → proceeding → completed ─ J → gone
 *	                └────────┴─ 64*T1 → gone, without a word: the client gave up by then (RFC 4320)
 *
 * Each line of a table below is a state; what it does not name is absorbed.
 */

enum state { TRYING, PROCEEDING, COMPLETED, CONFIRMED, ACCEPTED, ENDED, STATES };
enum input { REPEATED, ACK, REPLY_1XX, REPLY_2XX, REPLY_FINAL, REPEAT_TIMER, LIFE_TIMER, INPUTS };

/* F7: an answer that nobody acknowledges is sent so often and no more. */
enum { REPEATS_MAX = 7 };
enum { TAG_ROOM = 40 };

struct server_txn {
	struct txn t;         /* its flow is the way of the answers */
	struct hnode by_conn; /* on a stream */
	struct addr source;
	uint16_t reply_port; /* of the top Via: where a new connection for the answers leads */
	uint32_t cseq;
	struct msg *request; /* NULL once a final response was sent and the turn is over */
	struct list spent;
	const struct msg *cancel; /* while on_cancel runs */
	const struct server_owner *owner;
	void *ctx;
	int repeats;
	bool is_acked;
	bool is_final;
	char to_tag[TAG_ROOM]; /* of the responses so far */
};

/* m: the request that caused the event; NULL for replies and timers. */
typedef void action_fn(struct server_txn *t, const struct msg *m);

static action_fn send_again, repeat, complete, complete_invite, confirm, succeed, pass_ack;
static action_fn proceed, end, end_accepted;

static action_fn *const INVITE_TABLE[STATES][INPUTS] = {
	[PROCEEDING] = { [REPEATED] = send_again,
			 [REPLY_2XX] = succeed,
			 [REPLY_FINAL] = complete_invite },
	[COMPLETED] = { [REPEATED] = send_again,
			[ACK] = confirm,
			[REPEAT_TIMER] = repeat,
			[LIFE_TIMER] = end },
	[CONFIRMED] = { [LIFE_TIMER] = end },
	[ACCEPTED] = { [ACK] = pass_ack, [REPEAT_TIMER] = repeat, [LIFE_TIMER] = end_accepted },
	[ENDED] = { [LIFE_TIMER] = end },
};

static action_fn *const OTHER_TABLE[STATES][INPUTS] = {
	[TRYING] = { [REPLY_1XX] = proceed,
		     [REPLY_2XX] = complete,
		     [REPLY_FINAL] = complete,
		     [LIFE_TIMER] = end },
	[PROCEEDING] = { [REPEATED] = send_again,
			 [REPLY_2XX] = complete,
			 [REPLY_FINAL] = complete,
			 [LIFE_TIMER] = end },
	[COMPLETED] = { [REPEATED] = send_again, [LIFE_TIMER] = end },
	[ENDED] = { [LIFE_TIMER] = end },
};

static void happen(struct server_txn *t, enum input e, const struct msg *m)
{
	action_fn *const(*table)[INPUTS] =
		t->t.method == METHOD_INVITE ? INVITE_TABLE : OTHER_TABLE;
	action_fn *act = table[t->t.state][e];

	if (act)
		act(t, m);
}

static const struct sip_timers *timers(const struct server_txn *t)
{
	return &t->t.sip->timers;
}

/* ---- the way of the answers ---- */

static uint16_t reply_port(const struct msg *m)
{
	struct str host;
	uint16_t port;

	return uri_host_port(m->via_host, &host, &port) == 0 && port
		       ? port
		       : proto_port((enum proto)m->flow.proto);
}

/*
 * RFC 3261 §18.2.2: where the request's connection has ended, by a new one to its source, at the port of the top Via. By TLS
 * its certificate must be for that address.
 */
static void turn(struct server_txn *t)
{
	htab_del(&t->t.sip->server_conns, &t->by_conn);
	t->t.flow.conn = 0;
	t->t.flow.worker = (uint8_t)t->t.sip->worker;
	addr_set_port(&t->t.flow.peer, t->reply_port);
}

static int send_on(struct server_txn *t, struct str bytes)
{
	struct transport *tp = t->t.sip->transport;
	int r = transport_send(tp, &t->t.flow, bytes);

	if (r != -ENOTCONN || t->t.flow.conn == 0)
		return r;
	turn(t);
	return transport_send(tp, &t->t.flow, bytes);
}

/* ---- actions ---- */

static void send_again(struct server_txn *t, const struct msg *m)
{
	(void)m;
	if (t->t.bytes.n == 0)
		return;
	count_one(&t->t.sip->stats.retransmissions_out);
	(void)send_on(t, t->t.bytes);
}

static void repeat(struct server_txn *t, const struct msg *m)
{
	int64_t twice = t->t.interval * 2, t2 = timers(t)->t2;

	if (t->repeats++ >= REPEATS_MAX)
		return;
	send_again(t, m);
	txn_repeat_in(&t->t, twice < t2 ? twice : t2);
}

static void proceed(struct server_txn *t, const struct msg *m)
{
	(void)m;
	t->t.state = PROCEEDING;
}

static void complete(struct server_txn *t, const struct msg *m)
{
	(void)m;
	t->t.state = COMPLETED;
	txn_live(&t->t, txn_is_reliable(&t->t) ? 0 : 64 * timers(t)->t1);
}

static void complete_invite(struct server_txn *t, const struct msg *m)
{
	(void)m;
	t->t.state = COMPLETED;
	txn_live(&t->t, 64 * timers(t)->t1);
	if (!txn_is_reliable(&t->t))
		txn_repeat_in(&t->t, timers(t)->t1);
}

static void confirm(struct server_txn *t, const struct msg *m)
{
	(void)m;
	t->t.state = CONFIRMED;
	timer_stop(&t->t.repeat);
	txn_keep(&t->t, STR(""));
	txn_live(&t->t, txn_is_reliable(&t->t) ? 0 : timers(t)->t4);
}

/* A 2xx is repeated on streams too: there may be UDP behind the next hop (§13.3.1.4). */
static void succeed(struct server_txn *t, const struct msg *m)
{
	(void)m;
	t->t.state = ACCEPTED;
	txn_live(&t->t, 64 * timers(t)->t1);
	txn_repeat_in(&t->t, timers(t)->t1);
}

/* Of RFC 2543 peers, and of those that take the INVITE's branch for it. */
static void pass_ack(struct server_txn *t, const struct msg *m)
{
	t->t.sip->user.on_request(t->t.sip->user.ctx, NULL, m);
}

static void end(struct server_txn *t, const struct msg *m)
{
	const struct server_owner *o = t->owner;

	(void)m;
	if (o && o->on_done)
		o->on_done(t->ctx, t);
	server_txn_free(&t->t);
}

static void end_accepted(struct server_txn *t, const struct msg *m)
{
	if (!t->is_acked && t->owner && t->owner->on_no_ack)
		t->owner->on_no_ack(t->ctx, t);
	end(t, m);
}

/* ---- life ---- */

static void on_repeat(struct timer *timer, int64_t now_ms)
{
	(void)now_ms;
	happen(CONTAINER(timer, struct server_txn, t.repeat), REPEAT_TIMER, NULL);
}

static void on_life(struct timer *timer, int64_t now_ms)
{
	(void)now_ms;
	happen(CONTAINER(timer, struct server_txn, t.life), LIFE_TIMER, NULL);
}

/* The key without method and CSeq. */
static uint64_t key_hash(const struct msg *m)
{
	if (str_has_prefix(m->branch, STR(STEER_COOKIE)))
		return htab_hash2(m->branch, m->via_host);

	const uint64_t parts[] = { htab_hash2(m->call_id, m->from_tag), htab_hash(m->uri_text),
				   htab_hash2(m->branch, m->via_host) };

	return htab_hash(str_n(parts, sizeof(parts)));
}

static struct server_txn *find(const struct sip *s, const struct msg *m, enum method method)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &s->server, key_hash(m))
	{
		struct server_txn *t = CONTAINER(it, struct server_txn, t.node);

		if (t->t.method == method && t->cseq == m->cseq && t->t.state != ENDED &&
		    txn_is_as_safe(&t->t, m))
			return t;
	}
	return NULL;
}

/* Takes m over, also if it fails. */
static struct server_txn *create(struct sip *s, struct msg *m)
{
	struct server_txn *t = calloc(1, sizeof(*t));

	if (!t) {
		(void)msg_free(m);
		return NULL;
	}
	txn_init(&t->t, s, &m->flow, m->method);
	timer_init(&t->t.repeat, on_repeat);
	timer_init(&t->t.life, on_life);
	list_init(&t->spent);
	t->source = m->flow.peer;
	t->reply_port = reply_port(m);
	t->request = m;
	t->cseq = m->cseq;
	t->t.state = m->method == METHOD_INVITE ? PROCEEDING : TRYING;
	if (t->t.state == TRYING)
		txn_live(&t->t, 64 * s->timers.t1);
	htab_add(&s->server, &t->t.node, key_hash(m));
	if (m->flow.conn)
		htab_add(&s->server_conns, &t->by_conn,
			 txn_conn_hash(m->flow.conn, m->flow.worker));
	return t;
}

void server_txn_free(struct txn *base)
{
	struct server_txn *t = CONTAINER(base, struct server_txn, t);

	txn_done(&t->t, &t->t.sip->server);
	htab_del(&t->t.sip->server_conns, &t->by_conn);
	list_del(&t->spent);
	(void)msg_free(t->request);
	free(t);
}

/*
 * Nobody may ask for the request after a final response, but somebody up the stack may still be
 * reading it.
 */
static void spend_request(struct server_txn *t)
{
	struct sip *s = t->t.sip;

	t->is_final = true;
	list_add_tail(&s->spent, &t->spent);
	timer_start(&s->loop->wheel, &s->sweep, s->loop->now_ms);
}

void server_sweep(struct timer *timer, int64_t now_ms)
{
	struct sip *s = CONTAINER(timer, struct sip, sweep);
	struct list *it;

	(void)now_ms;
	while ((it = list_shift(&s->spent))) {
		struct server_txn *t = CONTAINER(it, struct server_txn, spent);

		t->request = msg_free(t->request);
	}
}

/* A final answer that is not acknowledged yet may have been lost with the connection; nothing is sent during the walk. */
void server_gone(struct sip *s, const struct flow *flow)
{
	uint64_t hash = txn_conn_hash(flow->conn, flow->worker);
	struct hnode *it;

	while ((it = htab_first(&s->server_conns, hash))) {
		struct server_txn *t = CONTAINER(it, struct server_txn, by_conn);

		turn(t);
		if (t->t.method == METHOD_INVITE && t->t.bytes.n > 0 &&
		    (t->t.state == COMPLETED || t->t.state == ACCEPTED)) {
			txn_repeat_in(&t->t, timers(t)->t1);
			timer_start(&s->loop->wheel, &t->t.repeat, s->loop->now_ms);
		}
	}
}

/* ---- receiving ---- */

/* The branch is a secret between two hosts: from a third one it cancels nothing. */
static struct server_txn *find_cancelled(const struct sip *s, const struct msg *cancel)
{
	struct server_txn *t = find(s, cancel, METHOD_INVITE);

	return t && addr_eq_host(&t->source, &cancel->flow.peer) ? t : NULL;
}

static const char *own_tag(struct server_txn *t)
{
	if (!t->to_tag[0])
		steer_mint(t->to_tag, t->t.sip->worker);
	return t->to_tag;
}

/* Answered here, so that the user hears of a CANCEL as something that happens to an INVITE. */
static void receive_cancel(struct server_txn *t)
{
	struct sip *s = t->t.sip;
	struct server_txn *invite = find_cancelled(s, t->request);

	if (!invite) {
		if (s->user.may_answer && s->user.may_answer(s->user.ctx, &t->t.flow))
			(void)server_reply(t, &(struct reply){ .code = 481 });
		else
			server_drop(t);
		return;
	}
	t->t.flow.peer = txn_is_reliable(&t->t) ? t->t.flow.peer : invite->t.flow.peer;
	(void)server_reply(t, &(struct reply){ .code = 200, .to_tag = own_tag(invite) });
	if (!invite->is_final && invite->owner && invite->owner->on_cancel) {
		invite->cancel = t->request;
		invite->owner->on_cancel(invite->ctx, invite);
		invite->cancel = NULL;
	}
}

static void receive_ack(struct sip *s, struct msg *m)
{
	struct server_txn *t = find(s, m, METHOD_INVITE);

	if (t)
		happen(t, ACK, m);
	else if (!txn_passed_on(s, m))
		s->user.on_request(s->user.ctx, NULL, m);
	(void)msg_free(m);
}

void server_receive(struct sip *s, struct msg *m)
{
	if (m->method == METHOD_ACK) {
		receive_ack(s, m);
		return;
	}

	struct server_txn *t = find(s, m, m->method);

	if (t) {
		count_one(&s->stats.retransmissions_in);
		happen(t, REPEATED, m);
		(void)msg_free(m);
		return;
	}

	if (!(m->method == METHOD_CANCEL && find_cancelled(s, m)) && txn_passed_on(s, m)) {
		(void)msg_free(m);
		return;
	}
	t = create(s, m);
	if (t && m->method == METHOD_CANCEL)
		receive_cancel(t);
	else if (t)
		s->user.on_request(s->user.ctx, t, m);
}

/* ---- answering ---- */

static enum input input_of(int code)
{
	if (code < 200)
		return REPLY_1XX;
	return code < 300 ? REPLY_2XX : REPLY_FINAL;
}

static const char *tag_for(struct server_txn *t, const struct reply *r)
{
	if (!r->to_tag)
		return r->code == 100 ? NULL : own_tag(t);
	(void)str_copy(t->to_tag, sizeof(t->to_tag), str_of(r->to_tag));
	return r->to_tag;
}

/* Into sip->out. 0 or -ENOMEM. */
static int write_reply(struct server_txn *t, const struct reply *r)
{
	struct buf *out = &t->t.sip->out;

	buf_clear(out);
	put_reply(t->request, r, tag_for(t, r), out);
	return buf_error(out);
}

int server_reply(struct server_txn *t, const struct reply *r)
{
	struct sip *s = t->t.sip;
	/* A 408 tells nobody anything: who asked gave up at the same moment (RFC 4320 §4.2). */
	bool is_late = r->code == 408 && t->t.method != METHOD_INVITE;

	assert(!t->is_final && t->t.state != ENDED && r->code >= 100 && r->code < 700);

	int error = is_late ? 0 : write_reply(t, r);
	struct str bytes = is_late || error ? STR("") : buf_str(&s->out);

	txn_keep(&t->t, bytes);
	if (r->code >= 200)
		spend_request(t);
	happen(t, input_of(r->code), NULL);
	return bytes.n ? send_on(t, bytes) : error;
}

int server_refuse(struct server_txn *t, const struct reply *r)
{
	assert(!t->is_final && t->t.state != ENDED && r->code >= 200 && r->code < 700);

	struct sip *s = t->t.sip;
	int error = write_reply(t, r);

	server_drop(t);
	return error ? error : transport_send(s->transport, &t->t.flow, buf_str(&s->out));
}

void server_drop(struct server_txn *t)
{
	server_detach(t);
	timer_stop(&t->t.repeat);
	t->t.state = ENDED;
	txn_live(&t->t, 0);
}

void server_answer_broken(struct sip *s, const struct msg *m, int code)
{
	char tag[STEER_TOKEN];

	steer_mint(tag, s->worker);
	buf_clear(&s->out);
	put_reply(m, &(struct reply){ .code = code }, tag, &s->out);
	if (buf_error(&s->out) == 0)
		(void)transport_send(s->transport, &m->flow, buf_str(&s->out));
}

void server_acked(struct server_txn *t)
{
	if (t->t.state != ACCEPTED)
		return;
	t->is_acked = true;
	timer_stop(&t->t.repeat);
	txn_keep(&t->t, STR(""));
}

bool server_waits_ack(const struct server_txn *t)
{
	return t->t.method == METHOD_INVITE && t->t.state == ACCEPTED && !t->is_acked;
}

void server_own(struct server_txn *t, const struct server_owner *o, void *ctx)
{
	t->owner = o;
	t->ctx = ctx;
}

void server_detach(struct server_txn *t)
{
	server_own(t, NULL, NULL);
}

void server_reply_to(struct server_txn *t, const struct addr *a)
{
	if (!txn_is_reliable(&t->t))
		t->t.flow.peer = *a;
}

const struct msg *server_request(const struct server_txn *t)
{
	return t->is_final ? NULL : t->request;
}

bool server_is_final(const struct server_txn *t)
{
	return t->is_final;
}

const struct msg *server_cancel(const struct server_txn *t)
{
	return t->cancel;
}

void server_repeat(struct server_txn *t)
{
	txn_send_again(&t->t);
}
