#include <errno.h>
#include <stdlib.h>

#include "sip/txn_private.h"

/*
 * The client side: RFC 3261 §17.1 as corrected by RFC 6026.
 *
 *	INVITE   calling ─ 1xx → proceeding ─ 300-699 → completed (ACK) ─ D → gone
 *	            └──────────────┴─ 2xx → accepted ─ M → gone
 *
 *	others   calling ─ 1xx → proceeding ─ final → completed ─ K → gone
 *
 * Timer B or F, the time after a CANCEL, and a broken connection end calling and proceeding in
 * on_fail. Each line of a table below is a state; what it does not name is absorbed.
 */

enum state { CALLING, PROCEEDING, COMPLETED, ACCEPTED, STATES };
enum input { RESPONSE_1XX, RESPONSE_2XX, RESPONSE_FINAL, REPEAT_TIMER, LIFE_TIMER, INPUTS };

enum { TIMER_D_MS = 32000 };

struct client_txn {
	struct txn t;
	struct hnode by_conn; /* on a stream */
	uint32_t conn;        /* the connection that carries it */
	const struct client_owner *owner;
	void *ctx;
	int error; /* of its connection */
	bool wants_cancel;
	char *cancel_extra; /* header lines of a CANCEL that waits for the first 1xx */
	bool has_provisional;
	uint8_t sent; /* times, as far as a list of waits goes */
};

typedef void action_fn(struct client_txn *c, const struct msg *m);

static action_fn proceed, proceed_invite, tell, tell_or_stray, stray, succeed, refuse, complete;
static action_fn repeat_invite, repeat_other, acknowledge_again, fail, end;

static action_fn *const INVITE_TABLE[STATES][INPUTS] = {
	[CALLING] = { [RESPONSE_1XX] = proceed_invite,
		      [RESPONSE_2XX] = succeed,
		      [RESPONSE_FINAL] = refuse,
		      [REPEAT_TIMER] = repeat_invite,
		      [LIFE_TIMER] = fail },
	[PROCEEDING] = { [RESPONSE_1XX] = tell,
			 [RESPONSE_2XX] = succeed,
			 [RESPONSE_FINAL] = refuse,
			 [LIFE_TIMER] = fail },
	[COMPLETED] = { [RESPONSE_2XX] = stray,
			[RESPONSE_FINAL] = acknowledge_again,
			[LIFE_TIMER] = end },
	[ACCEPTED] = { [RESPONSE_2XX] = tell_or_stray, [LIFE_TIMER] = end },
};

static action_fn *const OTHER_TABLE[STATES][INPUTS] = {
	[CALLING] = { [RESPONSE_1XX] = proceed,
		      [RESPONSE_2XX] = complete,
		      [RESPONSE_FINAL] = complete,
		      [REPEAT_TIMER] = repeat_other,
		      [LIFE_TIMER] = fail },
	[PROCEEDING] = { [RESPONSE_1XX] = tell,
			 [RESPONSE_2XX] = complete,
			 [RESPONSE_FINAL] = complete,
			 [REPEAT_TIMER] = repeat_other,
			 [LIFE_TIMER] = fail },
	[COMPLETED] = { [LIFE_TIMER] = end },
};

static void happen(struct client_txn *c, enum input e, const struct msg *m)
{
	action_fn *const(*table)[INPUTS] =
		c->t.method == METHOD_INVITE ? INVITE_TABLE : OTHER_TABLE;
	action_fn *act = table[c->t.state][e];

	if (act)
		act(c, m);
	else if (m)
		count_one(&c->t.sip->stats.retransmissions_in);
}

static const struct sip_timers *timers(const struct client_txn *c)
{
	return &c->t.sip->timers;
}

/* No more repeats; what they sent is not needed either. */
static void be_quiet(struct client_txn *c)
{
	timer_stop(&c->t.repeat);
	txn_keep(&c->t, STR(""));
}

/* ---- actions ---- */

static void tell(struct client_txn *c, const struct msg *m)
{
	if (c->owner && c->owner->on_response)
		c->owner->on_response(c->ctx, c, m);
}

static void report_stray(struct sip *s, const struct msg *m)
{
	count_one(&s->stats.stray);
	if (s->user.on_stray && m->method == METHOD_INVITE && m->status / 100 == 2 &&
	    !txn_passed_on(s, m))
		s->user.on_stray(s->user.ctx, m);
}

static void stray(struct client_txn *c, const struct msg *m)
{
	report_stray(c->t.sip, m);
}

static void tell_or_stray(struct client_txn *c, const struct msg *m)
{
	if (c->owner)
		tell(c, m);
	else
		stray(c, m);
}

/* A CANCEL is a transaction of its own, with the branch of its INVITE and nobody who waits for it. */
static void send_cancel(struct client_txn *c);

static void proceed(struct client_txn *c, const struct msg *m)
{
	c->t.state = PROCEEDING;
	c->has_provisional = true;
	tell(c, m);
}

static void proceed_invite(struct client_txn *c, const struct msg *m)
{
	timer_stop(&c->t.repeat);
	timer_stop(&c->t.life);
	if (c->wants_cancel)
		send_cancel(c);
	proceed(c, m);
}

static void succeed(struct client_txn *c, const struct msg *m)
{
	c->t.state = ACCEPTED;
	be_quiet(c);
	txn_live(&c->t, 64 * timers(c)->t1);
	tell_or_stray(c, m);
}

static void acknowledge_again(struct client_txn *c, const struct msg *m)
{
	(void)m;
	txn_send_again(&c->t);
}

/* The ACK takes the place of the INVITE: it is what a repeated response gets again. */
static void refuse(struct client_txn *c, const struct msg *m)
{
	struct sip *s = c->t.sip;
	struct str to = { 0 };

	c->t.state = COMPLETED;
	(void)msg_header(m, "To", 0, &to);
	buf_clear(&s->out);
	put_ack(c->t.bytes, to, &s->out);
	be_quiet(c);
	if (buf_error(&s->out) == 0) {
		txn_keep(&c->t, buf_str(&s->out));
		(void)transport_send(s->transport, &c->t.flow, buf_str(&s->out));
	}
	txn_live(&c->t, txn_is_reliable(&c->t) ? 0 : TIMER_D_MS);
	tell(c, m);
}

static void complete(struct client_txn *c, const struct msg *m)
{
	c->t.state = COMPLETED;
	be_quiet(c);
	txn_live(&c->t, txn_is_reliable(&c->t) ? 0 : timers(c)->t4);
	tell(c, m);
}

/* The next transmission by the list of waits, if there is one. */
static void repeat_in(struct client_txn *c, int64_t usual_ms)
{
	const struct sip *s = c->t.sip;

	if (s->resends == 0)
		txn_repeat_in(&c->t, usual_ms);
	else if (c->sent < s->resends)
		txn_repeat_in(&c->t, s->resend[c->sent++]);
}

static void repeat_invite(struct client_txn *c, const struct msg *m)
{
	(void)m;
	txn_send_again(&c->t);
	repeat_in(c, c->t.interval * 2);
}

static void repeat_other(struct client_txn *c, const struct msg *m)
{
	int64_t twice = c->t.interval * 2, t2 = timers(c)->t2;

	(void)m;
	txn_send_again(&c->t);
	repeat_in(c, c->t.state == PROCEEDING || twice > t2 ? t2 : twice);
}

static void end(struct client_txn *c, const struct msg *m)
{
	(void)m;
	if (c->owner && c->owner->on_done)
		c->owner->on_done(c->ctx, c);
	client_txn_free(&c->t);
}

static void fail(struct client_txn *c, const struct msg *m)
{
	if (c->owner && c->owner->on_fail)
		c->owner->on_fail(c->ctx, c, c->error ? c->error : -ETIMEDOUT);
	end(c, m);
}

/* ---- life ---- */

static void on_repeat(struct timer *timer, int64_t now_ms)
{
	(void)now_ms;
	happen(CONTAINER(timer, struct client_txn, t.repeat), REPEAT_TIMER, NULL);
}

static void on_life(struct timer *timer, int64_t now_ms)
{
	(void)now_ms;
	happen(CONTAINER(timer, struct client_txn, t.life), LIFE_TIMER, NULL);
}

void client_txn_free(struct txn *base)
{
	struct client_txn *c = CONTAINER(base, struct client_txn, t);

	htab_del(&c->t.sip->client_conns, &c->by_conn);
	free(c->cancel_extra);
	txn_done(&c->t, &c->t.sip->client);
	free(c);
}

/* The connection is known only once something was sent on it. */
static void note_conn(struct client_txn *c)
{
	c->conn = transport_conn(c->t.sip->transport, &c->t.flow);
	htab_add(&c->t.sip->client_conns, &c->by_conn, txn_conn_hash(c->conn, c->t.flow.worker));
}

static int start(struct client_txn **ret, struct sip *s, enum method method, uint64_t key,
		 const struct flow *to, struct str bytes)
{
	struct client_txn *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	txn_init(&c->t, s, to, method);
	timer_init(&c->t.repeat, on_repeat);
	timer_init(&c->t.life, on_life);
	txn_keep(&c->t, bytes);

	int r = c->t.bytes.n ? transport_send(s->transport, to, bytes) : -ENOMEM;

	if (r < 0) {
		client_txn_free(&c->t);
		return r;
	}
	htab_add(&s->client, &c->t.node, key);
	txn_live(&c->t, 64 * s->timers.t1);
	if (txn_is_reliable(&c->t))
		note_conn(c);
	else
		repeat_in(c, s->timers.t1);
	*ret = c;
	return 0;
}

int client_send(struct client_txn **ret, struct sip *s, enum method method, const char *branch,
		const struct flow *to, struct str bytes, const struct client_owner *o, void *ctx)
{
	struct client_txn *c;
	int r = start(&c, s, method, htab_hash(str_of(branch)), to, bytes);

	if (r < 0)
		return r;
	c->owner = o;
	c->ctx = ctx;
	*ret = c;
	return 0;
}

static void send_cancel(struct client_txn *c)
{
	struct sip *s = c->t.sip;
	struct client_txn *cancel;

	c->wants_cancel = true;
	buf_clear(&s->out);
	put_cancel(c->t.bytes, str_of(c->cancel_extra), &s->out);
	if (buf_error(&s->out) == 0)
		(void)start(&cancel, s, METHOD_CANCEL, c->t.node.hash, &c->t.flow,
			    buf_str(&s->out));
	txn_live(&c->t, 64 * s->timers.t1);
}

void client_cancel(struct client_txn *c)
{
	client_cancel_with(c, STR(""));
}

void client_cancel_with(struct client_txn *c, struct str extra)
{
	if (c->wants_cancel || c->t.method != METHOD_INVITE)
		return;
	c->cancel_extra = extra.n ? str_dup(extra) : NULL;
	if (c->t.state == PROCEEDING)
		send_cancel(c);
	else if (c->t.state == CALLING)
		c->wants_cancel = true;
}

void client_detach(struct client_txn *c)
{
	c->owner = NULL;
	c->ctx = NULL;
}

bool client_has_provisional(const struct client_txn *c)
{
	return c->has_provisional;
}

/* ---- receiving ---- */

static struct client_txn *find(const struct sip *s, const struct msg *m)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &s->client, htab_hash(m->branch))
	{
		struct client_txn *c = CONTAINER(it, struct client_txn, t.node);

		if (c->t.method == m->method && txn_is_as_safe(&c->t, m))
			return c;
	}
	return NULL;
}

static enum input input_of(int status)
{
	if (status < 200)
		return RESPONSE_1XX;
	return status < 300 ? RESPONSE_2XX : RESPONSE_FINAL;
}

void client_receive(struct sip *s, const struct msg *m)
{
	struct client_txn *c = find(s, m);

	if (c)
		happen(c, input_of(m->status), m);
	else
		report_stray(s, m);
}

/* Told by its own timer, in this turn: nothing is called or freed during the walk. */
void client_gone(struct sip *s, const struct flow *flow, int error)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &s->client_conns, txn_conn_hash(flow->conn, flow->worker))
	{
		struct client_txn *c = CONTAINER(it, struct client_txn, by_conn);

		if (c->t.state != CALLING && c->t.state != PROCEEDING)
			continue;
		c->error = error;
		txn_live(&c->t, 0);
	}
}
