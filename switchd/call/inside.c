#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/inner.h"

/*
 * Requests inside a dialog. BYE ends the call; re-INVITE, UPDATE and INFO are passed to the other leg and their answers back; at
 * most one at a time in each direction (RFC 3261 §14: 491).
 */

/* ---- passing on ---- */

/* The final answer to what came on this leg. */
static void answer_asker(struct leg *asker, int code, struct str sdp)
{
	if (!asker || !asker->asked || server_is_final(asker->asked))
		return;
	asker->is_asked = false;
	if (code >= 300)
		offer_take_back(asker);
	(void)server_reply(
		asker->asked,
		&(struct reply){ .code = code,
				 .to_tag = asker->dialog.local_tag,
				 .contact = &asker->local,
				 .content_type = sdp.n ? STR("application/sdp") : STR(""),
				 .body = sdp });
}

static void pass_answer(struct leg *from, struct leg *asker, const struct msg *m)
{
	CLEANUP(buf_done) struct buf sdp = BUF_INIT;
	int code = m->status;

	if (code < 300 && m->body.n > 0 && offer_pass(from, asker, m->body, &sdp) != REASON_NONE)
		code = 488;
	/* A challenge or redirection between two others is nothing the asker can act on. */
	if ((code >= 300 && code < 400) || code == 401 || code == 407)
		code = 488;
	answer_asker(asker, code, code < 300 ? buf_str(&sdp) : STR(""));
}

/* Where both peers are now, for the BYEs after a crash. */
static void journal_legs(struct call *c)
{
	char *legs = orphan_legs(c);

	if (legs && !booking_legs(c->worker->booking, c->id, legs))
		free(legs);
}

/* The first 2xx to our re-INVITE: its ACK goes at once, unless the answer comes with the asker's ACK. */
static void accept_change(struct leg *l, const struct msg *m)
{
	(void)dialog_refresh_target(&l->dialog, m);
	if (m->method != METHOD_INVITE)
		return;
	l->invite_cseq = m->cseq;
	if (l->is_acked)
		leg_ack(l, m->cseq, STR(""));
}

static void on_response(void *ctx, struct client_txn *t, const struct msg *m)
{
	struct leg *l = ctx, *asker = leg_other(l);

	if (m->status < 200)
		return;
	if (t != l->asking || !l->is_asking) { /* a 2xx again: our ACK was lost */
		leg_repeat_ack(l);
		return;
	}
	l->is_asking = false;
	if (m->status < 300) {
		accept_change(l, m);
		if (m->method != METHOD_INFO)
			journal_legs(l->call);
	}
	if (asker)
		pass_answer(l, asker, m);
	/* RFC 3261 §12.2.1.2: the peer does not know the dialog, or is gone. */
	if (m->status == 481 || m->status == 408)
		finish(l->call,
		       l->side == SIDE_CALLER ? REASON_CALLER_HANGUP : REASON_CALLEE_HANGUP,
		       HANGUP_SWITCH, 0);
}

static void on_fail(void *ctx, struct client_txn *t, int error)
{
	struct leg *l = ctx;

	(void)t;
	l->is_asking = false;
	answer_asker(leg_other(l), error == -ETIMEDOUT ? 408 : 503, STR(""));
}

static void on_done(void *ctx, struct client_txn *t)
{
	struct leg *l = ctx;

	if (l->asking == t)
		l->asking = NULL;
}

static const struct client_owner asking_owner = { on_response, on_fail, on_done };

static void on_asked_cancel(void *ctx, struct server_txn *t)
{
	struct leg *l = ctx;

	(void)t;
	answer_asker(l, 487, STR(""));
}

static void on_asked_no_ack(void *ctx, struct server_txn *t)
{
	struct leg *l = ctx;

	(void)t;
	finish(l->call, REASON_NO_ACK, HANGUP_SWITCH, 0);
}

static void on_asked_done(void *ctx, struct server_txn *t)
{
	struct leg *l = ctx;

	if (l->asked == t) {
		l->asked = NULL;
		l->is_asked = false;
	}
}

static const struct server_owner asked_owner = { on_asked_cancel, on_asked_no_ack, on_asked_done };

static bool is_session_change(const struct msg *m)
{
	return m->method == METHOD_INVITE || m->method == METHOD_UPDATE;
}

/* Bodies that may pass: descriptions (rewritten) and DTMF (RFC 6086's two common bodies). */
static bool body_may_pass(const struct msg *m)
{
	if (m->body.n == 0)
		return true;
	if (is_session_change(m))
		return str_ieq(m->content_type, STR("application/sdp"));
	return str_ieq(m->content_type, STR("application/dtmf-relay")) ||
	       str_ieq(m->content_type, STR("application/dtmf"));
}

/* DTMF bodies are "Signal=1\r\nDuration=160" or one digit: nothing else of the other side gets through. */
static bool is_plain_dtmf(struct str body)
{
	for (size_t i = 0; i < body.n; i++) {
		char ch = body.p[i];

		if (!strchr("0123456789*#ABCDabcdSignalDurt= \r\n", ch) || ch == '\0')
			return false;
	}
	return body.n <= 64;
}

static void pass_request(struct leg *l, struct server_txn *t, const struct msg *m)
{
	struct leg *other = leg_other(l);
	CLEANUP(buf_done) struct buf body = BUF_INIT;
	enum reason r = REASON_NONE;

	buf_clear(&l->described_before);
	if (is_session_change(m)) {
		buf_put(&l->described_before, buf_str(&l->described));
		r = offer_pass(l, other, m->body, &body);
		if (r == REASON_NONE)
			(void)dialog_refresh_target(&l->dialog, m);
	} else if (is_plain_dtmf(m->body)) {
		buf_put(&body, m->body);
	} else {
		r = REASON_BAD_REQUEST;
	}
	if (r != REASON_NONE) {
		offer_take_back(l);
		reply_simple(t, r == REASON_BAD_REQUEST ? 400 : 488, STR(""));
		return;
	}
	if (l->asked) /* an earlier one that only waits for repeats */
		server_detach(l->asked);
	if (other->asking)
		client_detach(other->asking);
	other->asking = NULL;
	l->asked = t;
	l->is_asked = other->is_asking = true;
	server_own(t, &asked_owner, l);
	if (m->method == METHOD_INVITE) {
		(void)server_reply(t, &(struct reply){ .code = 100 });
		l->invite_cseq = l->side == SIDE_CALLER ? m->cseq : l->invite_cseq;
		other->is_acked =
			m->body.n > 0; /* without an offer the answer comes with the asker's ACK */
	}

	int e = leg_request(other, m->method, body.n ? m->content_type : STR(""), buf_str(&body),
			    &asking_owner, &other->asking);
	if (e < 0)
		on_fail(other, NULL, e);
}

/* ---- by method ---- */

static void ask(struct leg *l, struct server_txn *t, const struct msg *m)
{
	struct leg *other = leg_other(l);

	if (l->call->state != CALL_UP || !other || !other->is_answered) {
		reply_simple(t, m->method == METHOD_INFO ? 200 : 491, STR(""));
		return;
	}
	if (l->is_asked || other->is_asking || l->is_asking || other->is_asked) {
		reply_simple(t, 491, STR(""));
		return;
	}
	if (!body_may_pass(m)) {
		reply_simple(t, 415, STR("Accept: application/sdp, application/dtmf-relay\r\n"));
		return;
	}
	pass_request(l, t, m);
}

static void on_bye_done(void *ctx, struct server_txn *t)
{
	struct call *c = ctx;

	if (c->bye == t)
		c->bye = NULL;
	call_reap(c);
}

static const struct server_owner bye_owner = { NULL, NULL, on_bye_done };

/* The other leg and the media end at once; the 200 waits until the end is durable (design.md §4, promise 1). */
static void bye(struct leg *l, struct server_txn *t)
{
	struct call *c = l->call;
	bool is_first = c->state == CALL_UP;

	l->is_over = true;
	if (c->state == CALL_OVER || c->bye) {
		reply_simple(t, 200, STR(""));
		return;
	}
	if (is_first) {
		c->bye = t;
		server_own(t, &bye_owner, c);
	} else {
		reply_simple(t, 200, STR(""));
	}
	if (l->side == SIDE_CALLER)
		finish(c, is_first ? REASON_CALLER_HANGUP : REASON_CALLER_CANCEL, HANGUP_CALLER, 0);
	else
		finish(c, is_first ? REASON_CALLEE_HANGUP : REASON_UPSTREAM_FAILURE, HANGUP_CALLEE,
		       0);
}

static void acked(struct leg *l, const struct msg *m)
{
	struct leg *other = leg_other(l);

	if (l->side == SIDE_CALLER)
		answer_acked(l, m);
	/* The ACK of a re-INVITE. */
	if (l->asked && server_is_final(l->asked)) {
		l->is_asked = false;
		server_acked(l->asked);
		if (other && !other->is_acked) {
			CLEANUP(buf_done) struct buf sdp = BUF_INIT;

			if (m->body.n > 0)
				(void)offer_pass(l, other, m->body, &sdp);
			leg_ack(other, other->invite_cseq, buf_str(&sdp));
		}
	}
}

void inside_request(struct worker *w, struct server_txn *t, const struct msg *m)
{
	struct leg *l = leg_find(w, m->to_tag, m->call_id);

	if (!l || !str_eq(str_of(l->dialog.remote_tag), m->from_tag)) {
		if (t && !refuse_stranger(w, t, m))
			reply_simple(t, 481, STR(""));
		return;
	}
	if (m->method == METHOD_ACK) {
		acked(l, m);
		return;
	}
	/* RFC 3261 §12.2.2: a lower number than one seen is out of order. */
	if (m->cseq <= l->dialog.remote_cseq && l->dialog.remote_cseq != 0) {
		reply_simple(t, 500, STR(""));
		return;
	}
	l->dialog.remote_cseq = m->cseq;
	switch (m->method) {
	case METHOD_BYE:
		bye(l, t);
		break;
	case METHOD_INVITE:
	case METHOD_UPDATE:
	case METHOD_INFO:
		ask(l, t, m);
		break;
	case METHOD_OPTIONS:
		reply_simple(t, 200,
			     STR("Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO\r\n"));
		break;
	default:
		reply_simple(t, 405,
			     STR("Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO\r\n"));
		break;
	}
}
