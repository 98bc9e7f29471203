#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "call/forward.h"
#include "call/hop.h"
#include "call/identity.h"
#include "call/inner.h"
#include "call/transfer.h"
#include "call/way.h"

/*
 * The hunt: vendors in turn until one answers, the called party is found to be unavailable, or tries or time run out
 * (behaviour.md "Choosing and trying vendors").
 *
 *	hunt_next → choose → send INVITE → progress / answer
 *	     ↑                    │
 *	     └── try_failed ←─────┴── refusal, time-out, transport error
 *
 * A try that is given up lives on as a leg of its own until its transaction ends: its CANCEL is under way, and an answer that still
 * comes has to be acknowledged, ended and paid for.
 */

static void try_failed(struct leg *l, int code, enum reason why, bool is_local);

/* ---- our INVITE's transaction ---- */

/* What a vendor's final code is called in the record. */
static enum reason reason_of(const struct leg *l, int code)
{
	if (code == 486 || code == 600)
		return REASON_USER_BUSY;
	if ((code == 480 || code == 408) && l->stage >= TRY_RINGING)
		return REASON_NO_ANSWER;
	if (code == 401 || code == 407)
		return REASON_VENDOR_AUTH_FAILED;
	return REASON_REJECTED;
}

static bool write_again(struct leg *l, const struct vendor *v, struct str credentials);
/* One answer to a challenge, if the gateway has credentials and the realm is its own (security.md A7). */
static bool answer_challenge(struct leg *l, const struct msg *m);

/* A longer session timer, as it asks for; the new INVITE may be challenged once more. */
static bool raise_interval(struct leg *l, const struct msg *m)
{
	const struct vendor *v = leg_vendor(l);

	if (!v || !session_raise(l, m))
		return false;
	free(l->password_realm);
	l->password_realm = NULL;
	return write_again(l, v, STR(""));
}

static void on_response(void *ctx, struct client_txn *t, const struct msg *m)
{
	struct leg *l = ctx;

	(void)t;
	if (m->status < 200) {
		if (!l->is_abandoned)
			progress_provisional(l, m);
	} else if (m->status < 300) {
		if (l->is_abandoned)
			answer_late(l, m);
		else
			answer_received(l, m);
	} else if (!l->is_abandoned) {
		if ((m->status == 401 || m->status == 407) && answer_challenge(l, m))
			return;
		if (m->status < 400 && outcome_follow(l, m))
			return;
		if (m->status == 422 && raise_interval(l, m))
			return;
		outcome_failed(l, m->status, m);
		l->call->cdr->vendor_code = m->status;

		int code = outcome_code(l, m);

		try_failed(l, code, reason_of(l, code), false);
	}
}

/* The INVITE went by TCP for its size, and the peer's host has none. */
static bool try_by_udp(struct leg *l, struct client_txn *t, int error)
{
	const struct vendor *v = leg_vendor(l);

	if (!v || !way_back_to_udp(l, error))
		return false;
	client_detach(t);
	l->inviting = NULL;
	if (hunt_invite(l, v, buf_str(&l->sdp), STR("")) == 0)
		return true;
	try_failed(l, 503, REASON_UPSTREAM_FAILURE, true);
	return true;
}

static void on_fail(void *ctx, struct client_txn *t, int error)
{
	struct leg *l = ctx;

	if (l->is_abandoned || l->is_answered || try_by_udp(l, t, error))
		return;
	if (error != -ETIMEDOUT)
		trail_add(&l->call->q.trail, l->gateway, "connection", "%s",
			  transport_error_text(error));
	if (error == -ETIMEDOUT)
		try_failed(l, 408, REASON_INVITE_TIMEOUT, true);
	else
		try_failed(l, 503, REASON_UPSTREAM_FAILURE, true);
}

static void on_done(void *ctx, struct client_txn *t)
{
	struct leg *l = ctx;
	struct call *c = l->call;

	(void)t;
	l->inviting = NULL;
	/* The leg that answered stays with the call; any other has nothing left to wait for. */
	if (l != c->callee || c->state == CALL_OVER) {
		leg_free(l);
		call_reap(c);
	}
}

static const struct client_owner vendor_owner = { on_response, on_fail, on_done };

/* ---- sending ---- */

static enum reason address_try(struct leg *l, const struct vendor *v, int address)
{
	struct worker *w = l->call->worker;
	const struct addr *peer = &v->address[address];
	char tag[STEER_TOKEN], call_id[STEER_TOKEN], here[ADDR_TEXT];
	CLEANUP(buf_done) struct buf local = BUF_INIT, remote = BUF_INIT, target = BUF_INIT;
	CLEANUP(buf_done) struct buf there = BUF_INIT;
	struct flow flow;

	if (way_to_vendor(w, v, peer, &flow) < 0)
		return REASON_UPSTREAM_FAILURE;
	transport_local(w->transport, &flow, &l->local);
	redirect_begin(&l->way, peer);
	steer_mint(tag, w->c.index);
	steer_mint(call_id, w->c.index);
	(void)addr_text(&l->local, here);
	vendor_put_place(v, address, &there);
	identity_put_from(l, v, here, &local);
	if (!buf_cstr(&there))
		return REASON_OVERLOAD;
	identity_put_to(l, buf_cstr(&there), &remote);
	way_put_target(l, v, buf_cstr(&there), &target);
	if (buf_error(&local) || buf_error(&remote) || buf_error(&target) ||
	    dialog_for_invite(&l->dialog, call_id, tag, buf_str(&local), buf_str(&remote),
			      buf_str(&target), &flow) < 0 ||
	    leg_begin(l, l->call, SIDE_CALLEE, tag) < 0)
		return REASON_OVERLOAD;
	hop_begin(l, v->row->reply_address, v->row->request_address);
	return REASON_NONE;
}

/* What this vendor is offered: the caller's description, or, after early media, what was already answered. */
static enum reason make_offer(struct leg *l, struct buf *out)
{
	struct call *c = l->call;
	struct str body = c->has_early_sdp ? buf_str(&c->caller.sdp) : buf_str(&c->offer);

	if (!c->has_early_sdp)
		return offer_pass(&c->caller, l, body, out);

	/* Our own description to the caller, turned round: the caller's address and the codecs that were agreed on. */
	CLEANUP(sdp_free) struct sdp *s = NULL;
	const char *what;
	struct addr ours, rtp[SDP_MEDIA_MAX];

	if (!c->relay || sdp_parse(&s, body, &what) < 0)
		return REASON_CODEC_MISMATCH;
	ours = relay_shown(c->relay, SIDE_CALLEE, &l->dialog.flow.peer);
	for (int i = 0; i < sdp_media_count(s); i++) {
		rtp[i] = ours;
		if (addr_port(&sdp_media_at(s, i)->rtp) == 0)
			addr_set_port(&rtp[i], 0);
	}
	l->origin.version++;
	return sdp_put(s, &l->origin, &ours, rtp, out) < 0 ? REASON_OVERLOAD : REASON_NONE;
}

int hunt_invite(struct leg *l, const struct vendor *v, struct str body, struct str credentials)
{
	struct worker *w = l->call->worker;
	char branch[STEER_BRANCH];
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	CLEANUP(buf_done) struct buf extra = BUF_INIT;
	int hops = l->call->max_forwards;
	struct draft d = { .method = METHOD_INVITE,
			   .branch = branch,
			   .local = &l->local,
			   .with_contact = true,
			   .allow = leg_allow(l),
			   .max_forwards = hops > 0 && hops <= 70 ? hops - 1 : 70,
			   .content_type = body.n ? STR("application/sdp") : STR(""),
			   .body = body };

	steer_mint_branch(branch, w->c.index);
	if (d.max_forwards == 0)
		return -ELOOP;
	if (reliable_put_invite(l, &extra) != REASON_NONE)
		return -EPROTONOSUPPORT;
	session_put_request(l, &extra);
	identity_put_headers(l, v, &extra);
	buf_putz(&extra, l->call->taken.line ? l->call->taken.line : "");
	buf_put(&extra, credentials);
	if (buf_error(&extra))
		return buf_error(&extra);
	d.extra = buf_str(&extra);
	dialog_put_request(&l->dialog, &d, &out);
	if (way_by_tcp(l, out.n)) {
		d.cseq = l->dialog.local_cseq;
		buf_clear(&out);
		dialog_put_request(&l->dialog, &d, &out);
	}
	l->invite_cseq = l->dialog.local_cseq;
	if (buf_error(&out))
		return buf_error(&out);
	return client_send(&l->inviting, w->sip, METHOD_INVITE, branch, &l->dialog.flow,
			   buf_str(&out), &vendor_owner, l);
}

static bool answer_challenge(struct leg *l, const struct msg *m)
{
	const struct vendor *v = leg_vendor(l);
	CLEANUP(buf_done) struct buf extra = BUF_INIT;
	struct str realm;

	/* Where a redirect led, only for a realm that an operator named (security.md A7). */
	if (v && l->way.count > 1 && !v->row->realm)
		return false;
	if (!v || !v->row->user || !v->row->password || l->password_realm)
		return false;
	if (digest_answer(m, METHOD_INVITE, str_of(l->dialog.target), str_of(v->row->user),
			  str_of(v->row->password), str_of(v->row->realm), &extra, &realm) < 0)
		return false;
	l->password_realm = str_dup(realm);
	if (!l->password_realm)
		return false;
	gate_learn_realm(l->gate, realm);
	return write_again(l, v, buf_str(&extra));
}

/* The INVITE with more in it, after a refusal that says what was missing. Always true: it went, or the try has failed. */
static bool write_again(struct leg *l, const struct vendor *v, struct str credentials)
{
	client_detach(l->inviting);
	l->inviting = NULL;
	l->wait = WAIT_ANSWER;
	/* The first transaction is gone, so its end will not free the leg. */
	if (hunt_invite(l, v, buf_str(&l->sdp), credentials) < 0)
		try_failed(l, 503, REASON_UPSTREAM_FAILURE, true);
	return true;
}

/* ---- time-outs of a try ---- */

static void on_setup_timer(struct timer *t, int64_t now_ms)
{
	struct call *c = CONTAINER(t, struct call, setup_timer);
	struct leg *l = c->callee;

	(void)now_ms;
	if (!l || c->state != CALL_HUNTING)
		return;
	if (l->wait == WAIT_PROGRESS)
		try_failed(l, 408, REASON_GATEWAY_TIMEOUT, true);
	else if (l->stage >= TRY_RINGING)
		try_failed(l, 480, REASON_NO_ANSWER, false);
	else if (l->inviting && client_has_provisional(l->inviting))
		try_failed(l, 408, REASON_GATEWAY_TIMEOUT, true);
	else
		try_failed(l, 408, REASON_INVITE_TIMEOUT, true);
}

/* Hunting ends this long after the INVITE came; a phone that rings is past it. */
static ms_t hunt_deadline(const struct call *c)
{
	int64_t s = param_int(c->worker->world->params, PARAM_SS_HUNT_TIMEOUT);

	return c->q.mono_ms + (s > 0 ? s : 20) * 1000;
}

void hunt_wait(struct leg *l, const struct vendor *v)
{
	struct call *c = l->call;
	int64_t own = v->row->timeout_invite;
	int64_t s =
		own > 0 ? own : param_int(c->worker->world->params, PARAM_SS_SIP_TIMEOUT_INVITE);
	ms_t at = c->worker->loop.now_ms + (s > 0 ? s : 10) * 1000;
	ms_t latest = hunt_deadline(c);

	c->setup_timer.on_expire = on_setup_timer;
	timer_start(&c->worker->loop.wheel, &c->setup_timer, at < latest ? at : latest);
}

/* ---- the turns of the hunt ---- */

static void remember(struct tried *t, const struct gate *g, int address)
{
	for (int i = 0; i < t->count; i++) {
		if (t->gate[i] == g) {
			t->addresses[i] = (uint8_t)(address + 1);
			t->places[i] |= UINT64_C(1) << (address % 64);
			t->was_local[i] = false;
			return;
		}
	}
	if (t->count < TRIES_MAX) {
		t->gate[t->count] = g;
		t->places[t->count] = UINT64_C(1) << (address % 64);
		t->addresses[t->count++] = (uint8_t)(address + 1);
	}
}

static void mark_local(struct tried *t, const struct gate *g)
{
	for (int i = 0; i < t->count; i++) {
		if (t->gate[i] == g)
			t->was_local[i] = true;
	}
}

static void set_text(char **field, const char *text)
{
	free(*field);
	*field = strdup(text);
}

static int64_t since_invite(const struct call *c)
{
	return clock_mono_ms() - c->q.mono_ms;
}

static void record_try(struct call *c, const struct leg *l)
{
	struct cdr_row *r = c->cdr;
	char host[ADDR_TEXT];

	set_text(l->is_phone ? &r->callee_phone : &r->routing_gateway, l->gateway);
	set_text(&r->caller_out, identity_caller_sent(l));
	set_text(&r->callee_out, l->callee_out.digits);
	set_text(&r->call_id_out, l->dialog.call_id);
	set_text(&r->callee_ip, addr_host_text(&l->dialog.flow.peer, host));
	r->tries = ++c->q.attempts;
	if (c->q.attempts == 1)
		atomic_fetch_add_explicit(&c->worker->stats->admitted, 1, memory_order_relaxed);
}

/* Packets of all tries so far: which vendor's they are, only the difference tells. */
static uint64_t rtp_from_vendor(const struct call *c)
{
	struct relay_stats s = { 0 };

	if (c->relay)
		relay_stats(c->relay, SIDE_CALLEE, &s);
	return s.packets_in;
}

/* Sends the call to one vendor. Anything but REASON_NONE: nothing was sent. */
static enum reason send_try(struct call *c, struct leg *l, const struct vendor *v, int address)
{
	CLEANUP(buf_done) struct buf sdp = BUF_INIT;
	const struct source *s = call_peer(c);
	enum reason r = s ? REASON_NONE : REASON_DESTINATION_FORBIDDEN;

	if (r == REASON_NONE && v->phone)
		r = register_address(l, v->phone, address);
	if (r == REASON_NONE)
		r = offer_open(c, s, v, v->phone ? &l->dialog.flow.peer : &v->address[address]);
	if (r == REASON_NONE && !v->phone)
		r = address_try(l, v, address);
	if (r == REASON_NONE && transfer_turn(l) < 0)
		r = REASON_OVERLOAD;
	if (r == REASON_NONE)
		r = make_offer(l, &sdp);
	if (r != REASON_NONE)
		return r;
	buf_clear(&l->sdp);
	buf_put(&l->sdp, buf_str(&sdp));
	l->attempt = c->q.attempts + 1;
	traced_leg(l);
	l->rtp_before = rtp_from_vendor(c);

	int e = hunt_invite(l, v, buf_str(&sdp), STR(""));
	if (e == -ELOOP)
		return REASON_LOOP_DETECTED;
	if (e == 0)
		scored_sent(l);
	return e < 0 ? REASON_UPSTREAM_FAILURE : REASON_NONE;
}

static bool is_callers_fault(enum reason r)
{
	return r != REASON_UPSTREAM_FAILURE;
}

/* The hunt is over without an answer: what the record says and what the caller hears. */
static void give_up(struct call *c, enum reason why)
{
	int code = verdict_code(&c->verdict);

	if (forward_after(c, why))
		return;
	finish(c, why, HANGUP_SWITCH, c->q.attempts ? code : 0);
}

static enum reason hunt_is_open(const struct call *c)
{
	int64_t limit = param_int(c->worker->world->params, PARAM_SS_GATEWAY_SWITCH_LIMIT);

	if (limit > 0 && c->q.attempts >= limit)
		return REASON_HUNT_TIMEOUT;
	if (c->tried.count == TRIES_MAX || c->worker->loop.now_ms >= hunt_deadline(c))
		return REASON_HUNT_TIMEOUT;
	return REASON_NONE;
}

static int contacts_of(const struct call *c)
{
	const struct phone *p = world_phone_called(c->worker->world, str_of(c->q.callee.digits));

	return p ? register_contacts(c->worker, p) : 0;
}

/* Did anyone that was tried answer at all? */
static bool was_heard(const struct tried *t)
{
	for (int i = 0; i < t->count; i++) {
		if (!t->was_local[i])
			return true;
	}
	return false;
}

void hunt_next(struct call *c)
{
	for (;;) {
		struct choice choice = { 0 };
		enum reason r = hunt_is_open(c);

		c->q.world = c->worker->world;
		c->q.source = call_source(c); /* of this world: the one before may be gone */
		if (!c->q.source) {
			give_up(c, REASON_DESTINATION_FORBIDDEN);
			return;
		}
		if (forward_always(c))
			return;
		c->q.contacts = contacts_of(c);
		if (r == REASON_NONE)
			r = choose(&c->q, &c->tried, &choice);
		/* A phone that did not say a word, at none of its contacts, is not there, whatever its registration says. */
		if (r == REASON_PHONE_OFFLINE && !was_heard(&c->tried)) {
			if (!forward_after(c, r))
				finish(c, r, HANGUP_SWITCH, 0);
			return;
		}
		if (r != REASON_NONE) {
			/* Out of vendors after tries: the last try's reason says more than "no route". */
			give_up(c, c->q.attempts && r != REASON_HUNT_TIMEOUT ? c->why : r);
			return;
		}

		const struct vendor *v = choice.vendor;
		int address = choice.address;
		struct leg *l = leg_create(c, &choice);

		if (!l) {
			if (choice.cost.held)
				purse_settle(choice.cost.purse, choice.cost.held, 0);
			choice_done(&choice);
			finish(c, REASON_OVERLOAD, HANGUP_SWITCH, 0);
			return;
		}
		remember(&c->tried, v->gate, address);
		c->callee = l;
		r = send_try(c, l, v, address);
		if (r == REASON_NONE) {
			record_try(c, l);
			struct attempt a = { .n = l->attempt, .ms = since_invite(c) };

			trail_try(&c->q.trail, l->gateway, "sent", &a, "try %u, %s as %s",
				  c->q.attempts, l->callee_out.digits, identity_caller_sent(l));
			hunt_wait(l, v);
			return;
		}
		trail_add(&c->q.trail, l->gateway, "skip", "%s", reason_name(r));
		if (!is_callers_fault(r))
			outcome_failed(l, 0, NULL);
		leg_settle(l, 0);
		leg_free(l);
		c->why = r;
		if (is_callers_fault(r)) {
			finish(c, r, HANGUP_SWITCH, 0);
			return;
		}
		mark_local(&c->tried, v->gate);
		verdict_add(&c->verdict, 503);
	}
}

static struct retry_rules rules_of(const struct params *p)
{
	return (struct retry_rules){
		.until_connect = param_bool(p, PARAM_SS_GATEWAY_SWITCH_UNTIL_CONNECT),
		.stop_after_busy = param_bool(p, PARAM_SS_GATEWAY_SWITCH_STOP_AFTER_USER_BUSY),
		.stop_after_sdp = param_bool(p, PARAM_SS_SIP_STOP_SWITCH_AFTER_SDP),
		.stop_after_rtp = param_bool(p, PARAM_SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START),
		.stop_after_silence =
			param_bool(p, PARAM_SS_SIP_USER_AGENT_STOP_SWITCH_AFTER_INVITE_TIMEOUT),
	};
}

static void try_failed(struct leg *l, int code, enum reason why, bool is_local)
{
	struct call *c = l->call;
	const struct vendor *v = leg_vendor(l);
	struct routing_gateway_row gone = {
		.switch_until_connect = ROUTING_GATEWAY_SWITCH_UNTIL_CONNECT_UNTIL_CONNECT,
		.switch_preset = ROUTING_GATEWAY_SWITCH_PRESET_CARRIER
	};
	struct retry_rules rules = rules_of(c->worker->world->params);
	struct retry_case what = { .stage = l->stage,
				   .code = code,
				   .is_local = is_local,
				   .is_silent = why == REASON_INVITE_TIMEOUT,
				   .relayed = c->relay != NULL,
				   .had_rtp = rtp_from_vendor(c) > l->rtp_before };
	struct attempt a = {
		.n = l->attempt, .code = code, .reason = reason_name(why), .ms = since_invite(c)
	};
	bool go_on = retry_goes_on(v ? v->row : &gone, &rules, &what);

	timer_stop(&c->setup_timer);
	if (is_local)
		outcome_failed(l, code, NULL);
	trail_try(&c->q.trail, l->gateway, go_on ? "failed, next" : "failed, stop", &a,
		  "%s, code %d%s", reason_name(why), code, is_local ? " (ours)" : "");
	verdict_add(&c->verdict, code);
	if (is_local)
		mark_local(&c->tried, l->gate);
	c->why = why;
	l->is_abandoned = true;
	c->callee = NULL;
	leg_settle(l, 0);
	/* A try that had its final answer ends with its transaction; any other is cancelled and waited for. */
	if (l->inviting)
		client_cancel(l->inviting);
	else
		leg_free(l);
	if (go_on)
		hunt_next(c);
	else
		give_up(c, why);
}

void hunt_left(struct leg *l)
{
	trail_add(&l->call->q.trail, l->gateway, "left", "BYE before its answer");
	try_failed(l, 502, REASON_UPSTREAM_FAILURE, true);
}
