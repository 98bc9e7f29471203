#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "call/hop.h"
#include "call/identify.h"
#include "call/illegal.h"
#include "call/inner.h"
#include "call/knocks.h"
#include "call/lookup.h"
#include "call/replace.h"
#include "call/transfer.h"
#include "call/trap.h"

void reply_simple(struct server_txn *t, int code, struct str extra)
{
	server_detach(t);
	(void)server_reply(t, &(struct reply){ .code = code, .extra = extra });
}

/* ---- the caller's transaction ---- */

static void on_cancel(void *ctx, struct server_txn *t)
{
	struct leg *l = ctx;

	ext_put_reasons(server_cancel(t), &l->call->cause);
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

/* ---- what the pipeline checks before it looks at the number ---- */

/* RFC 5630 §4.1: what asks for security end to end came without it. */
static bool is_sips_in_clear(const struct msg *m)
{
	return m->flow.proto != PROTO_TLS &&
	       (m->uri.scheme == URI_SIPS || m->contact.scheme == URI_SIPS);
}

/* Our own INVITE, unchanged, come back: a loop. With another Request-URI it is a spiral, which is a call like any other. */
static bool is_loop(struct worker *w, const struct msg *m)
{
	const struct leg *l = leg_find(w, m->from_tag, m->call_id);

	return l && l->side == SIDE_CALLEE && !l->is_answered &&
	       str_eq(m->uri.user, str_of(l->callee_out.digits));
}

/* What this gateway may require of us. */
static unsigned extensions(const struct source *s)
{
	return (s->row->session_timer ? EXT_TIMER : 0) |
	       (s->row->rel100 != MAPPING_GATEWAY_REL100_OFF ? EXT_100REL : 0) |
	       (replace_may(s) ? EXT_REPLACES : 0);
}

/* What the request itself says, before anything is asked about the call. */
static enum reason check_request(struct call *c, const struct source *s, const struct msg *m)
{
	struct worker *w = c->worker;
	enum reason r;

	if (m->max_forwards == 0)
		return REASON_TOO_MANY_HOPS;
	if (is_loop(w, m))
		return REASON_LOOP_DETECTED;
	if (ext_put_unsupported(m, extensions(s), &c->refusal))
		return REASON_BAD_EXTENSION;
	if (!m->has_contact)
		return REASON_BAD_REQUEST;
	if (is_sips_in_clear(m)) {
		buf_put(&c->refusal, STR("Warning: 380 tandem \"SIPS Not Allowed\"\r\n"));
		return REASON_SIPS_IN_CLEAR;
	}
	if (m->body.n > 0 && !str_ieq(m->content_type, STR("application/sdp"))) {
		buf_put(&c->refusal, STR("Accept: application/sdp\r\n"));
		return REASON_BODY_NOT_SUPPORTED;
	}
	r = reliable_read_invite(&c->caller, s, m, &c->refusal);
	return r == REASON_NONE ? session_read_request(&c->caller, m, &c->refusal) : r;
}

static void drop_stranger(struct worker *w, struct server_txn *t, const struct msg *m)
{
	atomic_fetch_add_explicit(&w->stats->unknown_source, 1, memory_order_relaxed);
	report_stranger(w->report, &m->flow, w->loop.now_ms);
	illegal_message(w->illegal, m);
	knocks_message(w->knocks, m, w->loop.now_ms);
	if (param_bool(w->world->params, PARAM_SS_REPLY_UNAUTHORIZED))
		reply_simple(t, 403, STR(""));
	else
		server_drop(t);
}

bool refuse_stranger(struct worker *w, struct server_txn *t, const struct msg *m)
{
	if (worker_knows(w, &m->flow.peer))
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
	if (!ledger_is_up(w->hub->ledger) || ledger_is_tight(w->hub->ledger))
		return REASON_STORE_UNAVAILABLE;
	c->has_room = booking_take_room(w->booking);
	return c->has_room ? REASON_NONE : REASON_OVERLOAD;
}

int setup_keep_numbers(struct call *c)
{
	struct cdr_row *r = c->cdr;

	r->caller_in = strdup(c->q.caller_in.digits);
	r->callee_in = strdup(c->q.callee_in.digits);
	r->caller = strdup(c->q.caller.digits);
	r->callee = strdup(c->q.callee.digits);
	r->caller_area = c->q.caller_area ? strdup(c->q.caller_area) : NULL;
	r->callee_area = c->q.callee_area ? strdup(c->q.callee_area) : NULL;
	return r->caller_in && r->callee_in && r->caller && r->callee ? 0 : -1;
}

/* Who sent an INVITE, and whom it is charged to. */
struct entry {
	const struct source *payer, *peer;
	bool is_referred;
	struct referral referral;
	struct leg *replaced; /* whose place it takes; NULL: nobody's */
};

static void note_referral(struct call *c, const struct entry *e)
{
	enum param shown = e->referral.call_id[0] ? PARAM_SS_CALL_TRANSFER_ASK_DISPLAY
						  : PARAM_SS_CALL_TRANSFER_NORMAL_DISPLAY;

	c->q.is_referred = true;
	c->q.callee_in = e->referral.callee;
	if (!str_eq(param_str(c->worker->world->params, shown), STR("local")))
		c->q.shown_by = e->peer;
	trail_add(&c->q.trail, "transfer", "ok", "from %s, asked for by %s, who pays",
		  e->peer->row->name, e->payer->row->name);
}

/* Is it charged by the number that is to be asked for? */
static bool asks_first(const struct call *c)
{
	return c->q.source->row->rate_number == MAPPING_GATEWAY_RATE_NUMBER_PORTED;
}

/* Number, limits, price, hold: everything up to the choice of a vendor. */
static enum reason decide(struct call *c, const struct msg *m, const struct entry *e,
			  enum reason why)
{
	struct worker *w = c->worker;
	enum reason r = switch_is_ready(c), numbers;

	if (r != REASON_NONE)
		return r;
	numbers = identify_numbers(w, e->peer, m, &c->q);
	if (e->is_referred)
		note_referral(c, e);
	r = why != REASON_NONE ? why : check_request(c, e->peer, m);
	if (r == REASON_NONE)
		r = numbers;
	if (r == REASON_NONE && e->is_referred)
		r = transfer_find(c, &e->referral);
	if (r == REASON_NONE)
		r = admit(&c->q);
	if (r == REASON_NONE && !e->replaced && !asks_first(c))
		r = admit_price(&c->q);
	trap_tell(w, m, &c->q);
	if (setup_keep_numbers(c) < 0 && r == REASON_NONE)
		r = REASON_OVERLOAD;
	c->cdr->hidden = c->q.is_hidden;
	return r;
}

/* why: known already, and nothing more is to be asked. */
static void begin(struct worker *w, struct server_txn *t, const struct msg *m,
		  const struct entry *e, enum reason why)
{
	struct call *c = call_create(w, t, m, e->payer, e->peer);

	if (!c) {
		reply_simple(t, reason_sip_code(REASON_OVERLOAD), STR("Retry-After: 2\r\n"));
		return;
	}
	server_own(t, &caller_owner, &c->caller);
	steer_stray(m->call_id, w->c.index, w->hub->workers);
	hop_answers(&c->caller, t, m);
	leg_learn(&c->caller, m);
	c->q.is_secure = m->uri.scheme == URI_SIPS;

	enum reason r = decide(c, m, e, why);

	c->q.shown_by = NULL; /* lives no longer than this turn */

	traced_call(c);
	if (r != REASON_NONE) {
		finish(c, r, HANGUP_SWITCH, 0);
		return;
	}
	(void)server_reply(t, &(struct reply){ .code = 100 });
	buf_put(&c->offer, m->body);
	if (e->replaced)
		replace_begin(c, e->replaced);
	else if (!lookup_begin(c))
		setup_go_on(c);
}

void setup_keep_charged(struct call *c)
{
	const struct inquiry *q = &c->q;

	if (q->ported.digits[0])
		c->cdr->ported = strdup(q->ported.digits);
	if (q->rated.digits[0] && strcmp(q->rated.digits, q->callee.digits) != 0)
		c->cdr->rated_number = strdup(q->rated.digits);
}

void setup_go_on(struct call *c)
{
	enum reason r = lookup_refuses(&c->q) ? REASON_PORTABILITY_UNKNOWN : REASON_NONE;

	if (r == REASON_NONE && asks_first(c))
		r = admit_price(&c->q);

	setup_keep_charged(c);
	if (r != REASON_NONE)
		finish(c, r, HANGUP_SWITCH, 0);
	else
		hunt_next(c);
}

/* Its own call, or one that it was asked to make: a vendor, too, may be asked that. False: nobody's. */
static bool find_payer(struct worker *w, const struct msg *m, struct entry *e, enum reason *why)
{
	bool may = e->peer ? *why == REASON_NONE
			   : *why == REASON_UNKNOWN_SOURCE && world_knows(w->world, &m->flow.peer);

	e->payer = e->peer;
	if (!may || !transfer_take(w, m, &e->referral))
		return e->payer != NULL;
	e->payer = transfer_payer(w, &e->referral);
	e->is_referred = e->payer != NULL;
	if (!e->peer)
		e->peer = e->payer;
	*why = e->payer ? REASON_NONE : REASON_DESTINATION_FORBIDDEN;
	if (!e->payer)
		e->payer = e->peer;
	return e->payer != NULL;
}

void setup_invite(struct worker *w, struct server_txn *t, const struct msg *m)
{
	enum reason why;
	struct entry e = { 0 };

	trap_stranger(w, m);
	e.peer = identify(w, t, m, &why);

	if (!find_payer(w, m, &e, &why)) {
		if (why == REASON_UNKNOWN_SOURCE)
			drop_stranger(w, t, m);
		return;
	}
	if (why == REASON_NONE) {
		transport_trust(w->transport, &m->flow);
		if (call_is_merged(w, m))
			why = REASON_MERGED_REQUEST;
		else if (!e.is_referred)
			why = replace_find(w, e.peer, m, &e.replaced);
	}
	atomic_fetch_add_explicit(&w->stats->invites, 1, memory_order_relaxed);
	begin(w, t, m, &e, why);
}
