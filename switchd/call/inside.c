#include <errno.h>

#include "base/rand.h"
#include "call/bridge.h"
#include "call/hop.h"
#include "call/inside.h"

/*
 * Requests inside a dialog. BYE ends the call; re-INVITE and UPDATE are passed to the other leg and their answers back, at most one at a
 * time on a leg (RFC 3261 §14). What changes nothing, a refresh of the session, is answered here: it says that this peer is alive and
 * nothing about the other.
 */

enum { RETRY_AFTER_MAX_S = 10 };

/* RFC 3261 §14.2, RFC 3311 §5.2: try again after a random time. */
static void refuse_for_now(struct server_txn *t)
{
	CLEANUP(buf_done) struct buf extra = BUF_INIT;

	buf_printf(&extra, "Retry-After: %u\r\n", rand_below(RETRY_AFTER_MAX_S + 1));
	reply_simple(t, 500, buf_str(&extra));
}

/* ---- passing on ---- */

/* The final answer to what came on this leg. */
static void answer_asker(struct leg *asker, int code, struct str sdp)
{
	CLEANUP(buf_done) struct buf extra = BUF_INIT;
	bool is_up = asker && asker->call->state == CALL_UP;

	if (!asker || !asker->asked || server_is_final(asker->asked))
		return;
	asker->is_asked = false;
	if (code >= 300)
		offer_take_back(asker);
	if (code == 500)
		buf_printf(&extra, "Retry-After: %u\r\n", rand_below(RETRY_AFTER_MAX_S + 1));
	if (code < 300)
		leg_put_allow(asker, &extra);
	if (code < 300 && is_up)
		session_put_answer(asker, &extra);
	(void)server_reply(
		asker->asked,
		&(struct reply){ .code = code,
				 .to_tag = asker->dialog.local_tag,
				 .contact = &asker->local,
				 .extra = buf_str(&extra),
				 .content_type = sdp.n ? STR("application/sdp") : STR(""),
				 .body = sdp });
	if (code < 300 && is_up)
		refresh_start(asker);
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
	if (code == 422) /* about our interval, not the asker's: next time it is long enough */
		code = session_raise(from, m) ? 491 : 488;
	answer_asker(asker, code, code < 300 ? buf_str(&sdp) : STR(""));
}

void inside_accepted(struct leg *l, const struct msg *m)
{
	(void)dialog_refresh_target(&l->dialog, m);
	hop_requests(l);
	leg_learn(l, m);
	if (l->call->state == CALL_UP) {
		session_read_answer(l, m);
		refresh_start(l);
		leg_journal(l->call);
	}
	if (m->method == METHOD_INVITE && !l->ack_waits)
		leg_ack(l, m->cseq, STR(""));
}

bool inside_answered(struct leg *l, const struct client_txn *t, const struct msg *m)
{
	if (m->status < 200)
		return false;
	if (t != l->asking || !l->is_asking) { /* a 2xx again: our ACK was lost */
		leg_repeat_ack(l, m);
		return false;
	}
	l->is_asking = false;
	l->asking_cseq = m->cseq;
	return true;
}

void inside_refused(struct leg *l, int code)
{
	if (code == 481 || code == 408)
		finish(l->call,
		       l->side == SIDE_CALLER ? REASON_CALLER_HANGUP : REASON_CALLEE_HANGUP,
		       HANGUP_SWITCH, 0);
}

static void on_response(void *ctx, struct client_txn *t, const struct msg *m)
{
	struct leg *l = ctx, *asker = leg_other(l);

	if (!inside_answered(l, t, m))
		return;
	if (m->status < 300) {
		inside_accepted(l, m);
	} else {
		offer_unsend(l);
		l->ack_waits = false;
	}
	if (asker)
		pass_answer(l, asker, m);
	inside_refused(l, m->status);
}

static void on_fail(void *ctx, struct client_txn *t, int error)
{
	struct leg *l = ctx;
	bool is_up = l->call->state == CALL_UP;

	(void)t;
	l->is_asking = l->ack_waits = false;
	offer_unsend(l);
	answer_asker(leg_other(l), error == -ETIMEDOUT ? 408 : 503, STR(""));
	if (error == -ETIMEDOUT && is_up)
		finish(l->call, REASON_SESSION_TIMEOUT, HANGUP_SWITCH, 0);
}

void inside_done(void *ctx, struct client_txn *t)
{
	struct leg *l = ctx;

	if (l->asking == t)
		l->asking = NULL;
}

static const struct client_owner asking_owner = { on_response, on_fail, inside_done };

static void on_asked_cancel(void *ctx, struct server_txn *t)
{
	struct leg *l = ctx, *other = leg_other(l);

	(void)t;
	if (other && other->asking && other->is_asking)
		client_cancel(other->asking);
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

/* From here on its transaction is the leg's to answer. */
static void take(struct leg *l, struct server_txn *t, const struct msg *m)
{
	if (l->asked) /* an earlier one that only waits for repeats */
		server_detach(l->asked);
	l->asked = t;
	l->asked_cseq = m->cseq;
	l->is_asked = true;
	server_own(t, &asked_owner, l);
	(void)dialog_refresh_target(&l->dialog, m);
	hop_requests(l);
	leg_learn(l, m);
}

int inside_ask(struct leg *to, enum method method, struct str sdp, struct str extra,
	       const struct client_owner *o)
{
	CLEANUP(buf_done) struct buf lines = BUF_INIT;
	struct draft d = { .method = method,
			   .with_contact = true,
			   .allow = leg_allow(to),
			   .content_type = sdp.n ? STR("application/sdp") : STR(""),
			   .body = sdp };
	int e;

	if (to->call->state == CALL_UP)
		session_put_request(to, &lines);
	buf_put(&lines, extra);
	d.extra = buf_str(&lines);
	if (to->asking)
		client_detach(to->asking);
	to->asking = NULL;
	to->is_asking = true;
	/* Without an offer the answer comes with the asker's ACK. */
	to->ack_waits = method == METHOD_INVITE && sdp.n == 0;
	e = buf_error(&lines) ? buf_error(&lines) : leg_send(to, &d, o, to, &to->asking);
	if (e < 0)
		to->is_asking = to->ack_waits = false;
	return e;
}

static void send_on(struct leg *to, enum method method, struct str sdp)
{
	int e = inside_ask(to, method, sdp, STR(""), &asking_owner);

	if (e < 0)
		on_fail(to, NULL, e);
}

static void pass_request(struct leg *l, struct server_txn *t, const struct msg *m)
{
	struct leg *other = leg_other(l);
	CLEANUP(buf_done) struct buf sdp = BUF_INIT;
	/* A change by UPDATE reaches a peer that does not allow it as a re-INVITE. */
	enum method method = m->method == METHOD_UPDATE && !other->can_update && other->is_answered
				     ? METHOD_INVITE
				     : m->method;

	buf_clear(&l->described_before);
	buf_put(&l->described_before, buf_str(&l->described));
	buf_clear(&other->sdp_before);
	buf_put(&other->sdp_before, buf_str(&other->sdp));

	enum reason r = offer_pass(l, other, m->body, &sdp);

	if (r != REASON_NONE) {
		offer_take_back(l);
		offer_unsend(other);
		reply_simple(t, r == REASON_BAD_REQUEST ? 400 : 488, STR(""));
		return;
	}
	take(l, t, m);
	if (m->method == METHOD_INVITE)
		(void)server_reply(t, &(struct reply){ .code = 100 });
	send_on(other, method, buf_str(&sdp));
}

/* ---- re-INVITE and UPDATE ---- */

/* An UPDATE about nothing, or the description that it has given already (RFC 4028 §7.4). */
static bool is_refresh(const struct leg *l, const struct msg *m)
{
	if (m->body.n == 0)
		return m->method == METHOD_UPDATE;
	return l->sdp.n > 0 && str_eq(m->body, buf_str(&l->described));
}

static void answer_refresh(struct leg *l, struct server_txn *t, const struct msg *m)
{
	take(l, t, m);
	buf_clear(&l->described_before);
	answer_asker(l, 200, m->body.n ? buf_str(&l->sdp) : STR(""));
}

/*
 * Before the answer (RFC 3311 §5.1): what an offer in an UPDATE may change has to be agreed on already, on both legs, by a reliable response.
 */
static void change_early(struct leg *l, struct server_txn *t, const struct msg *m)
{
	struct leg *other = leg_other(l);
	bool has_our_offer = l->side == SIDE_CALLEE && (l->is_answered || !l->reliable.is_agreed);

	if (m->method == METHOD_UPDATE && m->body.n == 0)
		answer_refresh(l, t, m);
	else if (m->method == METHOD_INVITE ? l->side == SIDE_CALLEE : has_our_offer)
		reply_simple(t, 491, STR(""));
	else if (m->method == METHOD_INVITE || l->call->state != CALL_HUNTING || !other ||
		 !l->reliable.is_agreed || !other->reliable.is_agreed || !other->can_update ||
		 other->is_asking || other->is_asked)
		refuse_for_now(t);
	else
		pass_request(l, t, m);
}

static void change_up(struct leg *l, struct server_txn *t, const struct msg *m)
{
	struct leg *other = leg_other(l);
	CLEANUP(buf_done) struct buf refusal = BUF_INIT;
	/* RFC 5407 §3.1.5: the answer to our offer is still to come, with the ACK. */
	bool lacks_answer = l->side == SIDE_CALLER && !l->is_acked && l->call->offer.n == 0;

	if (session_read_request(l, m, &refusal) != REASON_NONE)
		reply_simple(t, 422, buf_str(&refusal));
	else if (is_refresh(l, m))
		answer_refresh(l, t, m);
	else if (lacks_answer || !other || !other->is_answered || other->is_asking ||
		 other->is_asked || other->session.is_refreshing)
		reply_simple(t, 491, STR(""));
	else
		pass_request(l, t, m);
}

static void change(struct leg *l, struct server_txn *t, const struct msg *m)
{
	if (l->is_asked) /* its own, not answered yet (RFC 3261 §14.2) */
		refuse_for_now(t);
	else if (l->is_asking || l->session.is_refreshing)
		reply_simple(t, 491, STR(""));
	else if (m->body.n > 0 && !str_ieq(m->content_type, STR("application/sdp")))
		reply_simple(t, 415, STR("Accept: application/sdp\r\n"));
	else if (l->call->state == CALL_UP)
		change_up(l, t, m);
	else
		change_early(l, t, m);
}

/* ---- by method ---- */

static void on_bye_done(void *ctx, struct server_txn *t)
{
	struct call *c = ctx;

	if (c->bye == t)
		c->bye = NULL;
	call_reap(c);
}

static const struct server_owner bye_owner = { NULL, NULL, on_bye_done };

/* A try that was given up is no part of the call any more. */
static bool is_aside(const struct leg *l)
{
	return l->side == SIDE_CALLEE && l->call->callee != l;
}

/*
 * A vendor's BYE while its answer is being made durable. The caller is still to hear that answer, and then of the end: an answered call,
 * as long as the vendor's own record says. Before its answer a vendor may not end anything.
 */
static void bye_of_callee_early(struct leg *l, struct server_txn *t)
{
	struct call *c = l->call;

	reply_simple(t, 200, STR(""));
	if (!l->is_answered) {
		hunt_left(l);
		return;
	}
	if (!c->left_mono)
		c->left_mono = clock_mono_ms();
}

/* The other leg and the media end at once; the 200 waits until the end is durable (design.md §4, promise 1). */
void inside_bye(struct leg *l, struct server_txn *t, const struct msg *m)
{
	struct call *c = l->call;
	bool is_caller = l->side == SIDE_CALLER;

	if (passing_holds_bye(l, t, m))
		return;
	l->is_over = true;
	if (c->state == CALL_OVER || c->bye || is_aside(l) || bridge_lets_go(l)) {
		reply_simple(t, 200, STR(""));
		return;
	}
	ext_put_reasons(m, &c->cause);
	if (!is_caller && l->is_answered && !l->is_acked) /* nobody answers its offer any more */
		leg_ack(l, l->invite_cseq, STR(""));
	if (c->state == CALL_UP) {
		c->bye = t;
		server_own(t, &bye_owner, c);
		finish(c, is_caller ? REASON_CALLER_HANGUP : REASON_CALLEE_HANGUP,
		       is_caller ? HANGUP_CALLER : HANGUP_CALLEE, 0);
	} else if (is_caller) {
		reply_simple(t, 200, STR(""));
		finish(c, REASON_CALLER_CANCEL, HANGUP_CALLER, 0);
	} else {
		bye_of_callee_early(l, t);
	}
}

static void acked(struct leg *l, const struct msg *m)
{
	struct leg *other = leg_other(l);
	CLEANUP(buf_done) struct buf sdp = BUF_INIT;

	if (l->side == SIDE_CALLER && m->cseq == l->invite_cseq) {
		answer_acked(l, m);
		return;
	}
	if (!l->asked || !server_is_final(l->asked) || m->cseq != l->asked_cseq)
		return;
	server_acked(l->asked);
	if (!other || !other->ack_waits || other->is_asking)
		return;
	other->ack_waits = false;
	if (m->body.n > 0)
		(void)offer_pass(l, other, m->body, &sdp);
	leg_ack(other, other->asking_cseq, buf_str(&sdp));
}

/* What is required of us inside a dialog is no more than outside. */
static bool is_refused(struct leg *l, struct server_txn *t, const struct msg *m)
{
	CLEANUP(buf_done) struct buf unsupported = BUF_INIT;

	if (m->max_forwards == 0)
		reply_simple(t, 483, STR(""));
	else if (ext_put_unsupported(m, EXT_100REL | (session_may(l) ? EXT_TIMER : 0),
				     &unsupported))
		reply_simple(t, 420, buf_str(&unsupported));
	else if (m->method != METHOD_BYE && (l->is_over || is_aside(l)))
		reply_simple(t, 481, STR("")); /* RFC 5407 §3.2.2 */
	else
		return false;
	return true;
}

/* security.md A8: what began by TLS is not spoken to by anything less. */
static bool is_as_safe(const struct leg *l, const struct msg *m)
{
	return l->dialog.flow.proto != PROTO_TLS || m->flow.proto == PROTO_TLS;
}

/* The peer opened another connection: what is to go to it goes there from now on. */
static void note_connection(struct leg *l, const struct msg *m)
{
	struct flow *f = &l->dialog.flow;
	uint32_t policy = f->policy;

	if (f->conn == 0 || m->flow.conn == 0 || f->proto != m->flow.proto ||
	    !addr_eq_host(&f->peer, &m->flow.peer))
		return;
	*f = m->flow;
	f->policy = policy;
}

void reply_allow(const struct leg *l, struct server_txn *t, int code, const char *more)
{
	CLEANUP(buf_done) struct buf extra = BUF_INIT;

	leg_put_allow(l, &extra);
	buf_putz(&extra, more);
	reply_simple(t, code, buf_str(&extra));
}

void inside_request(struct worker *w, struct server_txn *t, const struct msg *m)
{
	struct leg *l = leg_find(w, m->to_tag, m->call_id);

	if (!l || !str_eq(str_of(l->dialog.remote_tag), m->from_tag) || !is_as_safe(l, m)) {
		if (t && !refuse_stranger(w, t, m))
			reply_simple(t, 481, STR(""));
		return;
	}
	if (m->method == METHOD_ACK) {
		acked(l, m);
		return;
	}
	hop_answers(l, t, m);
	/* RFC 3261 §12.2.2: a lower number than one seen is out of order. */
	if (m->cseq <= l->dialog.remote_cseq && l->dialog.remote_cseq != 0) {
		reply_simple(t, 500, STR(""));
		return;
	}
	l->dialog.remote_cseq = m->cseq;
	note_connection(l, m);
	if (hop_follow(l, m) && l->call->state == CALL_UP)
		leg_journal(l->call);
	if (is_refused(l, t, m))
		return;
	switch (m->method) {
	case METHOD_BYE:
		inside_bye(l, t, m);
		break;
	case METHOD_INVITE:
	case METHOD_UPDATE:
		change(l, t, m);
		break;
	case METHOD_INFO:
	case METHOD_REFER:
	case METHOD_NOTIFY:
	case METHOD_MESSAGE:
		passing_request(l, t, m);
		break;
	case METHOD_PRACK:
		reliable_acked(l, t, m);
		break;
	case METHOD_OPTIONS:
		reply_allow(l, t, 200, "Accept: application/sdp\r\n");
		break;
	default:
		reply_allow(l, t, 405, "");
		break;
	}
}
