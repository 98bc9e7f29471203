#include "call/bridge.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "call/identity.h"
#include "call/inside.h"
#include "call/move.h"
#include "call/transfer.h"

/*
 * C is asked first, with what A has described: if it refuses, nothing has changed. Its answer is then offered to A. Until both have
 * answered neither is asked anything else (is_asking). The two relays stay, each the other's peer on the side that B has left, so that what
 * A and C were told of our ports stays true.
 *
 *	B: REFER → 202, NOTIFY 100 → re-INVITE C → 200: B's BYE in that call, re-INVITE A → 200: NOTIFY 200, B's BYE in this one
 */
enum { ONE, OTHER };
enum { GLARES_MAX = 5 };

struct bridge {
	struct call *call[2];
	enum side stays[2];
	int glares; /* how often A was busy with a change of its own */
	bool is_up;
	bool is_new;  /* the first call is one of A alone, and waits for its answer (replace.h) */
	bool is_told; /* B wants to hear what comes of it */
};

/* ---- who is who ---- */

static int index_of(const struct bridge *b, const struct call *c)
{
	return b->call[OTHER] == c ? OTHER : ONE;
}

static struct leg *leg_at(struct call *c, enum side s)
{
	return s == SIDE_CALLER ? &c->caller : c->callee;
}

static struct leg *end_of(const struct bridge *b, int i)
{
	return leg_at(b->call[i], b->stays[i]);
}

/* B's leg in that call; NULL: it is gone. */
static struct leg *asker_of(const struct bridge *b, int i)
{
	return leg_at(b->call[i], opposite(b->stays[i]));
}

bool bridge_is_up(const struct call *c)
{
	return c->bridge && c->bridge->is_up;
}

struct leg *bridge_end(const struct call *c)
{
	return end_of(c->bridge, index_of(c->bridge, c));
}

struct leg *bridge_other(const struct leg *l)
{
	const struct bridge *b = l->call->bridge;
	int i = index_of(b, l->call);

	return end_of(b, i) == l ? end_of(b, !i) : NULL;
}

bool bridge_lets_go(const struct leg *l)
{
	return l->call->bridge && bridge_end(l->call) != l;
}

/* ---- B ---- */

/* RFC 3515 §2.4.4, about one REFER of this dialog, so without an id. */
static void tell(const struct bridge *b, int code)
{
	struct leg *l = asker_of(b, ONE);
	CLEANUP(buf_done) struct buf body = BUF_INIT;
	struct draft d = { .method = METHOD_NOTIFY,
			   .with_contact = true,
			   .content_type = STR("message/sipfrag;version=2.0"),
			   .extra = code < 200 ? STR("Event: refer\r\n"
						     "Subscription-State: active;expires=60\r\n")
					       : STR("Event: refer\r\nSubscription-State: "
						     "terminated;reason=noresource\r\n") };

	if (!b->is_told || !l || l->is_over)
		return;
	buf_printf(&body, "SIP/2.0 %d %s\r\n", code, msg_phrase(code));
	d.body = buf_str(&body);
	if (!buf_error(&body))
		(void)leg_send(l, &d, NULL, NULL, NULL);
}

/* B's part in the call is over; the call goes on. As a callee it is a phone, which costs nothing. */
static void leave(struct leg *l)
{
	if (!l)
		return;
	refresh_stop(l);
	passings_done(l);
	l->is_holding = false;
	if (l->side == SIDE_CALLEE)
		leg_settle(l, 0);
	leg_bye(l);
	if (l->side == SIDE_CALLEE)
		leg_retire(l);
}

static void drop(struct bridge *b)
{
	assert(b->call[ONE] && b->call[OTHER]);
	b->call[ONE]->bridge = b->call[OTHER]->bridge = NULL;
	free(b);
}

/* What B, or the caller of a new call, may hear of C: no challenge, no redirection. */
static int passable(int code)
{
	return (code < 400 || code == 401 || code == 407) ? 488 : code;
}

/* The call ends as if whoever does not stay had hung up. */
static void finish_left(struct call *c, enum side stays)
{
	if (stays == SIDE_CALLER)
		finish(c, REASON_CALLEE_HANGUP, HANGUP_CALLEE, 0);
	else
		finish(c, REASON_CALLER_HANGUP, HANGUP_CALLER, 0);
}

/* A call of which B has hung up already ends; the others are as they were. */
static void give_up(struct bridge *b, int code)
{
	struct call *calls[] = { b->call[ONE], b->call[OTHER] };
	bool is_left[2];

	end_of(b, ONE)->is_asking = false; /* C is, until it has answered */
	for (int i = 0; i < 2; i++) {
		const struct leg *asker = asker_of(b, i);

		is_left[i] = !asker || asker->is_over;
	}
	trail_add(&calls[ONE]->q.trail, "transfer", "failed", "code %d", code);
	tell(b, passable(code));

	enum side stays[] = { b->stays[ONE], b->stays[OTHER] };
	bool is_new = b->is_new;

	drop(b);
	if (is_new)
		finish(calls[ONE], REASON_REJECTED, HANGUP_SWITCH, passable(code));
	for (int i = 0; i < 2; i++) {
		if (is_left[i])
			finish_left(calls[i], stays[i]);
	}
}

/* ---- A and C ---- */

static const struct client_owner owner;

static void ask_second(struct bridge *b);

static void on_glare_over(struct timer *t, int64_t now_ms)
{
	struct call *c = CONTAINER(t, struct call, setup_timer);

	(void)now_ms;
	if (c->state == CALL_UP && bridge_is_up(c))
		ask_second(c->bridge);
}

static void again(struct bridge *b)
{
	struct call *c = b->call[ONE];

	c->setup_timer.on_expire = on_glare_over;
	timer_start(&c->worker->loop.wheel, &c->setup_timer,
		    c->worker->loop.now_ms + refresh_glare_ms(end_of(b, ONE)));
}

/* What A was offered is what it had described itself: a refusal takes nothing away. */
static void second(struct bridge *b, int code, struct str body)
{
	if (code == 491 && b->glares++ < GLARES_MAX) {
		again(b);
		return;
	}
	if (code < 300 && body.n > 0)
		offer_relearn(end_of(b, ONE), body);
	tell(b, 200);
	leave(asker_of(b, ONE));
	leg_journal(b->call[ONE]);
}

static void ask_second(struct bridge *b)
{
	struct leg *a = end_of(b, ONE);

	if (a->is_asked || a->is_asking || a->session.is_refreshing)
		second(b, 491, STR(""));
	else if (inside_ask(a, METHOD_INVITE, buf_str(&a->sdp), STR(""), &owner) < 0)
		second(b, 503, STR(""));
}

static void first(struct bridge *b, int code, struct str body)
{
	struct leg *a = end_of(b, ONE), *c = end_of(b, OTHER);
	CLEANUP(buf_done) struct buf sdp = BUF_INIT;

	a->is_asking = false;
	if (code >= 300) {
		give_up(b, code);
		return;
	}
	b->is_up = true;
	if (offer_pass(c, a, body, &sdp) != REASON_NONE || sdp.n == 0 ||
	    offer_tell_again(a) != REASON_NONE) {
		b->is_up = false;
		give_up(b, 488);
		return;
	}
	leave(asker_of(b, OTHER));
	leg_journal(b->call[OTHER]);
	if (b->is_new)
		answer_tied(b->call[ONE]);
	else
		ask_second(b);
}

/* Its final answer, unless one of the calls has ended meanwhile. */
static void answered(struct leg *l, int code, struct str body)
{
	struct bridge *b = l->call->bridge;

	if (!b || !b->is_up) {
		if (code >= 300)
			offer_unsend(l);
		else if (!b && l->call->state == CALL_UP)
			offer_relearn(l, body);
		if (b)
			first(b, code, body);
		return;
	}
	second(b, code, body);
}

static void on_response(void *ctx, struct client_txn *t, const struct msg *m)
{
	struct leg *l = ctx;

	if (!inside_answered(l, t, m))
		return;
	if (m->status < 300)
		inside_accepted(l, m);
	answered(l, m->status, m->body);
	if (l->call->state == CALL_UP)
		inside_refused(l, m->status);
}

static void on_fail(void *ctx, struct client_txn *t, int error)
{
	struct leg *l = ctx;
	struct call *c = l->call;

	(void)t;
	l->is_asking = false;
	answered(l, error == -ETIMEDOUT ? 408 : 503, STR(""));
	if (error == -ETIMEDOUT && c->state == CALL_UP)
		finish(c, REASON_SESSION_TIMEOUT, HANGUP_SWITCH, 0);
}

static const struct client_owner owner = { on_response, on_fail, inside_done };

/* Whose number C is told of, where its gateway is told of numbers at all; whose privacy B's call has kept stays unknown. */
static void put_identity(const struct bridge *b, struct buf *out)
{
	struct leg *c = end_of(b, OTHER);
	const struct leg *asker = asker_of(b, ONE);
	const struct vendor *v = c->side == SIDE_CALLEE ? leg_vendor(c) : NULL;
	const struct inquiry *q = &b->call[ONE]->q;

	if (!v || (asker && asker->is_anonymous) ||
	    str_eq(param_str(c->call->worker->world->params, PARAM_SS_CALL_TRANSFER_ASK_DISPLAY),
		   STR("local")))
		return;
	c->caller_out = b->stays[ONE] == SIDE_CALLER ? q->caller : q->callee;
	identity_put_headers(c, v, out);
}

static enum reason describe(struct bridge *b, struct buf *out)
{
	struct leg *a = end_of(b, ONE), *c = end_of(b, OTHER);

	if (b->is_new)
		return offer_pass(a, c, buf_str(&b->call[ONE]->offer), out);
	return offer_again(a, c, asker_of(b, ONE)->is_holding, out);
}

static void ask_first(struct bridge *b)
{
	struct leg *a = end_of(b, ONE), *c = end_of(b, OTHER);
	CLEANUP(buf_done) struct buf sdp = BUF_INIT, extra = BUF_INIT;

	buf_clear(&c->sdp_before);
	buf_put(&c->sdp_before, buf_str(&c->sdp));
	a->is_asking = true;
	put_identity(b, &extra);
	if (describe(b, &sdp) != REASON_NONE ||
	    inside_ask(c, METHOD_INVITE, buf_str(&sdp), buf_str(&extra), &owner) < 0) {
		offer_unsend(c);
		first(b, 503, STR(""));
	}
}

/* ---- may it be? ---- */

static bool is_idle(const struct leg *l)
{
	return l && l->is_answered && l->is_acked && !l->is_over && !l->is_asked && !l->is_asking &&
	       !l->session.is_refreshing;
}

bool bridge_is_free(struct call *c)
{
	return c->state == CALL_UP && !c->bridge && is_idle(&c->caller) && is_idle(c->callee);
}

/* Both have a relay, and the sides that B leaves reach each other; or neither has one. */
static bool can_join(const struct leg *one, const struct leg *other)
{
	const struct relay *a = one->call->relay, *b = other->call->relay;

	if (!a || !b)
		return !a && !b;
	return addr_is_v6(relay_local(a, one->side)) == addr_is_v6(relay_local(b, other->side));
}

/* B's leg in the call that it names, if that is here and B's own. */
static struct leg *find_other(struct leg *l, const struct referral *r)
{
	struct leg *other =
		r->call_id[0] ? leg_find(l->call->worker, str_of(r->our_tag), str_of(r->call_id))
			      : NULL;

	if (!other || other->call == l->call || !other->dialog.remote_tag ||
	    !str_eq(str_of(other->dialog.remote_tag), str_of(r->their_tag)) ||
	    !transfer_is_of_payer(other, r))
		return NULL;
	return other;
}

static struct bridge *create(struct leg *one, struct leg *other, const struct msg *m)
{
	struct bridge *b = calloc(1, sizeof(*b));
	struct str sub;

	if (!b)
		return NULL;
	*b = (struct bridge){ .call = { one->call, other->call },
			      .stays = { opposite(one->side), opposite(other->side) },
			      .is_told = !msg_header(m, "Refer-Sub", 0, &sub) ||
					 !str_ieq(str_trim(sub), STR("false")) };
	one->call->bridge = other->call->bridge = b;
	return b;
}

/* What it names, if this switch makes such transfers for whoever sent it. */
static bool read_refer(const struct leg *l, const struct msg *m, struct referral *ret)
{
	const struct params *p = l->call->worker->world->params;

	return param_bool(p, PARAM_SS_CALL_TRANSFER_BRIDGE) && transfer_may(l) &&
	       transfer_read(l, m, ret) == 0;
}

bool bridge_seek(struct leg *l, const struct msg *m)
{
	struct worker *w = l->call->worker;
	struct referral r = { 0 };

	return w->hub->workers > 1 && read_refer(l, m, &r) && r.call_id[0] &&
	       bridge_is_free(l->call) && !leg_find(w, str_of(r.our_tag), str_of(r.call_id)) &&
	       move_ask(l, &r);
}

bool bridge_refer(struct leg *l, struct server_txn *t, const struct msg *m)
{
	struct referral r = { 0 };
	struct leg *other;
	struct bridge *b;

	if (!read_refer(l, m, &r))
		return false;
	other = find_other(l, &r);
	if (!other || !bridge_is_free(l->call) || !bridge_is_free(other->call) ||
	    !can_join(l, other))
		return false;
	b = create(l, other, m);
	if (!b)
		return false;
	(void)server_reply(
		t, &(struct reply){ .code = 202,
				    .contact = &l->local,
				    .extra = b->is_told ? STR("") : STR("Refer-Sub: false\r\n") });
	for (int i = 0; i < 2; i++)
		trail_add(&b->call[i]->q.trail, "transfer", "ok",
			  "%s ties this call to %s, %s pays on as before", r.payer,
			  b->call[!i]->cdr->call_id, b->call[i]->cdr->account);
	tell(b, 100);
	ask_first(b);
	return true;
}

bool bridge_take_place(struct call *c, struct leg *replaced)
{
	struct bridge *b = calloc(1, sizeof(*b));

	if (!b)
		return false;
	*b = (struct bridge){ .call = { c, replaced->call },
			      .stays = { SIDE_CALLER, opposite(replaced->side) },
			      .is_new = true };
	c->bridge = replaced->call->bridge = b;
	trail_add(&replaced->call->q.trail, "transfer", "ok", "%s takes the place of %s",
		  c->cdr->call_id, replaced->side == SIDE_CALLER ? "the caller" : "the callee");
	ask_first(b);
	return true;
}

/* ---- the end ---- */

void bridge_over(struct call *c, enum reason why, enum hangup side)
{
	struct bridge *b = c->bridge;

	if (!b)
		return;
	if (!b->is_up) {
		give_up(b, 503);
		return;
	}

	int i = index_of(b, c);
	struct call *other = b->call[!i];
	enum side stays = b->stays[!i];

	tell(b, 200);
	leave(asker_of(b, ONE));
	drop(b);
	if (side == HANGUP_SWITCH)
		finish(other, why, HANGUP_SWITCH, 0);
	else
		finish_left(other, stays);
}

void bridge_drop(struct call *c)
{
	if (c->bridge)
		drop(c->bridge);
}
