#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "call/identify.h"
#include "call/inner.h"

void reply_simple(struct server_txn *t, int code, struct str extra)
{
	server_detach(t);
	(void)server_reply(t, &(struct reply){ .code = code, .extra = extra });
}

/* ---- the caller's transaction ---- */

static void on_cancel(void *ctx, struct server_txn *t)
{
	struct leg *l = ctx;

	(void)t;
	finish(l->call, REASON_CALLER_CANCEL, HANGUP_CALLER, 0);
}

static void on_no_ack(void *ctx, struct server_txn *t)
{
	struct leg *l = ctx;
	struct call *c = l->call;

	(void)t;
	atomic_fetch_add_explicit(&c->worker->stats->no_ack, 1, memory_order_relaxed);
	if (c->q.gate)
		atomic_fetch_add(&c->q.gate->no_ack, 1);
	if (c->state == CALL_UP)
		finish(c, REASON_NO_ACK, HANGUP_SWITCH, 0);
	l->is_acked = true; /* nothing more to wait for */
	if (l->bye_is_due)
		leg_bye(l);
}

static void on_done(void *ctx, struct server_txn *t)
{
	struct leg *l = ctx;

	(void)t;
	l->invited = NULL;
	if (l->bye_is_due)
		leg_bye(l);
	call_reap(l->call);
}

static const struct server_owner caller_owner = { on_cancel, on_no_ack, on_done };

/* ---- what the pipeline checks before there is a call ---- */

/* RFC 3261 §8.2.2.3 and §16.3: what we do not support, and requests that have gone round too long. */
static bool is_acceptable(struct worker *w, struct server_txn *t, const struct msg *m)
{
	struct str require;

	if (m->max_forwards == 0) {
		reply_simple(t, 483, STR(""));
		return false;
	}
	if ((msg_header(m, "Require", 0, &require) ||
	     msg_header(m, "Proxy-Require", 0, &require)) &&
	    !str_is_empty(require)) {
		CLEANUP(buf_done) struct buf extra = BUF_INIT;

		buf_put(&extra, STR("Unsupported: "));
		buf_put(&extra, require);
		buf_put(&extra, STR("\r\n"));
		reply_simple(t, 420, str_has_control(require) ? STR("") : buf_str(&extra));
		return false;
	}
	if (!m->has_contact) {
		reply_simple(t, 400, STR(""));
		return false;
	}
	if (call_is_merged(w, m)) {
		reply_simple(t, reason_sip_code(REASON_MERGED_REQUEST), STR(""));
		return false;
	}
	if (m->body.n > 0 && !str_ieq(m->content_type, STR("application/sdp"))) {
		reply_simple(t, 415, STR("Accept: application/sdp\r\n"));
		return false;
	}
	return true;
}

static void drop_stranger(struct worker *w, struct server_txn *t, const struct msg *m)
{
	atomic_fetch_add_explicit(&w->stats->unknown_source, 1, memory_order_relaxed);
	report_stranger(w->report, &m->flow, w->loop.now_ms);
	if (param_bool(w->world->params, PARAM_SS_REPLY_UNAUTHORIZED))
		reply_simple(t, 403, STR(""));
	else
		server_drop(t);
}

bool refuse_stranger(struct worker *w, struct server_txn *t, const struct msg *m)
{
	if (world_knows(w->world, &m->flow.peer))
		return false;
	drop_stranger(w, t, m);
	return true;
}

/* May another call be taken at all? A call is taken only if its end can be booked. */
static enum reason switch_is_ready(struct call *c)
{
	struct worker *w = c->worker;

	if (atomic_load_explicit(&w->hub->draining, memory_order_relaxed))
		return REASON_OVERLOAD;
	if (!ledger_is_up(w->hub->ledger))
		return REASON_STORE_UNAVAILABLE;
	c->has_room = booking_take_room(w->booking);
	return c->has_room ? REASON_NONE : REASON_OVERLOAD;
}

static int keep_numbers(struct call *c)
{
	struct cdr_row *r = c->cdr;

	r->caller_in = strdup(c->q.caller_in.digits);
	r->callee_in = strdup(c->q.callee_in.digits);
	r->caller = strdup(c->q.caller.digits);
	r->callee = strdup(c->q.callee.digits);
	return r->caller_in && r->callee_in && r->caller && r->callee ? 0 : -1;
}

/* Number, limits, price, hold: everything up to the choice of a vendor. */
static enum reason decide(struct call *c, const struct msg *m, const struct source *s)
{
	enum reason r = switch_is_ready(c);

	if (r != REASON_NONE)
		return r;
	r = identify_numbers(c->worker, s, m, &c->q.caller_in, &c->q.callee_in);
	if (r == REASON_NONE)
		r = admit(&c->q);
	if (keep_numbers(c) < 0 && r == REASON_NONE)
		r = REASON_OVERLOAD;
	c->cdr->hidden = c->q.is_hidden;
	return r;
}

void setup_invite(struct worker *w, struct server_txn *t, const struct msg *m)
{
	enum reason why;
	const struct source *s = identify(w, t, m, &why);

	if (!s) {
		if (why == REASON_UNKNOWN_SOURCE)
			drop_stranger(w, t, m);
		return;
	}
	if (!is_acceptable(w, t, m))
		return;
	transport_trust(w->transport, &m->flow);
	atomic_fetch_add_explicit(&w->stats->invites, 1, memory_order_relaxed);

	struct call *c = call_create(w, t, m, s);
	if (!c) {
		reply_simple(t, reason_sip_code(REASON_OVERLOAD), STR("Retry-After: 2\r\n"));
		return;
	}
	server_own(t, &caller_owner, &c->caller);
	(void)server_reply(t, &(struct reply){ .code = 100 });
	buf_put(&c->offer, m->body);

	enum reason r = decide(c, m, s);
	if (r != REASON_NONE)
		finish(c, r, HANGUP_SWITCH, 0);
	else
		hunt_next(c);
}
