#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "call/agents.h"
#include "call/bridge.h"
#include "call/identity.h"
#include "call/inner.h"
#include "call/lookup.h"
#include "call/packages.h"
#include "call/spending.h"
#include "call/watched.h"

/* The 200 to a BYE waits this long for the commit (behaviour.md, Money); the call's row is durable since the answer. */
enum { BYE_WAIT_MS = 300 };

static const int64_t sides[] = { CDR_HANGUP_SIDE_CALLER, CDR_HANGUP_SIDE_CALLEE,
				 CDR_HANGUP_SIDE_SWITCH };

/* ---- the record ---- */

/* Measured once on the monotonic clock and used for every party. With cut_off a call never lasts longer than its money. */
static void note_length(struct call *c, int64_t hold_ms)
{
	if (c->q.cut_off && c->reach_ms > 0 && hold_ms > c->reach_ms)
		hold_ms = c->reach_ms;
	c->cdr->hold_ms = hold_ms;
}

static money_t charge_customer(struct call *c)
{
	struct charge ch;
	struct cdr_row *r = c->cdr;

	if (!c->q.price.is_rated ||
	    packages_settle(&c->q, world_payer(c->q.world, c->q.price.account), r->hold_ms, r,
			    &ch) < 0)
		return 0;
	r->billed_s = ch.billed_s;
	r->fee = ch.fee;
	r->tax = ch.tax;
	return ch.fee + ch.tax;
}

static money_t charge_vendor(struct cdr_row *r, const struct price *cost, int64_t hold_ms)
{
	struct charge ch;

	if (!cost->is_rated || charge_compute(&cost->terms, hold_ms, &ch) < 0)
		return 0;
	r->cost_billed_s = ch.billed_s;
	r->cost = ch.fee + ch.tax;
	return r->cost;
}

static void record_media(const struct relay *relay, struct cdr_row *r)
{
	struct relay_stats a, b;

	relay_stats(relay, SIDE_CALLER, &a);
	relay_stats(relay, SIDE_CALLEE, &b);
	r->caller_packets_in = (int64_t)a.packets_in;
	r->caller_packets_out = (int64_t)a.packets_out;
	r->caller_lost = (int64_t)a.lost;
	r->caller_jitter_us = a.jitter_us;
	r->caller_mos = a.mos_100;
	r->callee_packets_in = (int64_t)b.packets_in;
	r->callee_packets_out = (int64_t)b.packets_out;
	r->callee_lost = (int64_t)b.lost;
	r->callee_jitter_us = b.jitter_us;
	r->callee_mos = b.mos_100;
}

/* Length and media of every part (forward.h). */
static void measure(struct call *c, bool was_answered)
{
	int64_t hold_ms = (c->left_mono ? c->left_mono : clock_mono_ms()) - c->answer_mono;

	for (struct call *p = c; p; p = p->front) {
		if (was_answered)
			note_length(p, hold_ms);
		if (c->relay)
			record_media(c->relay, p->cdr);
	}
}

static void record_end(struct call *c, enum reason why, enum hangup side, int code)
{
	struct cdr_row *r = c->cdr;
	CLEANUP(buf_done) struct buf scratch = BUF_INIT;

	r->end = clock_wall_ms();
	free(r->reason);
	r->reason = strdup(reason_name(why));
	r->hangup_side = sides[side];
	if (c->caller.is_answered)
		r->sip_code = 200;
	else if (why != REASON_UNKNOWN_SOURCE)
		r->sip_code = code;
	if (!r->rate_prefix && c->q.price.is_rated)
		r->rate_prefix =
			strdup(c->q.price.prefix.digits); /* for whoever asks where calls fail */
	trail_add(&c->q.trail, "end", reason_name(why), "after %lld ms", (long long)r->hold_ms);
	free(r->decisions);
	r->decisions = str_dup(trail_text(&c->q.trail, &scratch));
}

/* ---- the peers ---- */

/* The Q.850 cause of a refusal: the vendor's, if that is what is passed on; the reason's own; or the code's (RFC 3398 §8.2.6.1). */
static int cause_of(const struct call *c, enum reason why, int code)
{
	static const struct {
		int code, cause;
	} rejections[] = {
		{ 400, 41 }, { 404, 1 },   { 405, 63 }, { 406, 79 }, { 408, 102 }, { 410, 22 },
		{ 415, 79 }, { 480, 18 },  { 481, 41 }, { 482, 25 }, { 483, 25 },  { 484, 28 },
		{ 485, 1 },  { 486, 17 },  { 488, 88 }, { 500, 41 }, { 501, 79 },  { 502, 38 },
		{ 503, 41 }, { 504, 102 }, { 600, 17 }, { 604, 1 },  { 606, 88 },
	};

	if (c->heard.cause && c->heard.code == code)
		return (int)c->heard.cause;
	for (size_t i = 0; why == REASON_REJECTED && i < sizeof(rejections) / sizeof(*rejections);
	     i++)
		if (rejections[i].code == code)
			return rejections[i].cause;
	return reason_infos[why].q850;
}

/* RFC 6432, where the customer's gateway asks for it. code: before it is replaced. */
static void put_cause(struct call *c, enum reason why, int code)
{
	const struct source *s = call_peer(c);
	int cause = cause_of(c, why, code);

	if (s && s->row->reason_header && cause > 0 && why != REASON_CALLER_CANCEL)
		buf_printf(&c->refusal, "Reason: Q.850;cause=%d\r\n", codes_map(&s->causes, cause));
}

static void refuse_caller(struct call *c, enum reason why, int code)
{
	struct server_txn *t = c->caller.invited;
	bool is_ours = why == REASON_SYSTEM_LIMIT || why == REASON_OVERLOAD;
	struct reply r = { .code = code, .to_tag = c->caller.dialog.local_tag };

	reliable_stop(&c->caller);
	if (!t || server_is_final(t))
		return;
	/* Our own Retry-After only where coming back helps (behaviour.md). */
	if (is_ours)
		buf_put(&c->refusal, STR("Retry-After: 2\r\n"));
	if (!buf_error(&c->refusal))
		r.extra = buf_str(&c->refusal);
	c->caller.invited = NULL;
	server_detach(t);
	(void)server_reply(t, &r);
}

static void end_pending(struct leg *l)
{
	struct server_txn *t = l->asked;

	refresh_stop(l);
	passings_done(l);
	if (!t)
		return;
	l->asked = NULL;
	l->is_asked = false;
	server_detach(t);
	if (!server_is_final(t))
		(void)server_reply(t,
				   &(struct reply){ .code = 487, .to_tag = l->dialog.local_tag });
}

/* The vendor's leg: BYE if it answered, else it is abandoned and waits for its transaction. */
static void end_callee(struct call *c)
{
	struct leg *l = c->callee;

	if (!l)
		return;
	end_pending(l);
	if (l->is_answered) {
		leg_bye(l);
		leg_retire(l);
		return;
	}
	l->is_abandoned = true;
	c->callee = NULL;
	if (l->inviting)
		client_cancel_with(l->inviting, buf_str(&c->cause));
	else
		leg_free(l);
}

static void on_bye_timer(struct timer *t, int64_t now_ms)
{
	struct call *c = CONTAINER(t, struct call, wait_timer);

	(void)now_ms;
	if (c->bye && !server_is_final(c->bye))
		(void)server_reply(c->bye, &(struct reply){ .code = 200 });
}

/* ---- the end ---- */

/* The customer's gateway may want other codes than ours (failure_codes); a CANCEL has its own. */
static int code_for_caller(struct call *c, enum reason why, int code)
{
	const struct source *s = call_peer(c);
	int mapped = s && why != REASON_CALLER_CANCEL ? codes_map(&s->codes, code) : code;

	if (mapped != code && !c->caller.is_answered)
		trail_add(&c->q.trail, s->row->name, "replace", "code %d by %d", code, mapped);
	return mapped;
}

static void count_end(struct call *c, enum hangup side, bool was_up)
{
	struct worker_stats *s = c->worker->stats;

	if (was_up) {
		atomic_fetch_add_explicit(&s->ended, 1, memory_order_relaxed);
		atomic_fetch_add_explicit(&s->hold_ms, (uint64_t)c->cdr->hold_ms,
					  memory_order_relaxed);
		if (side == HANGUP_SWITCH)
			atomic_fetch_add_explicit(&s->forced_ends, 1, memory_order_relaxed);
	} else if (c->q.attempts == 0) {
		atomic_fetch_add_explicit(&s->refused, 1, memory_order_relaxed);
	}
}

enum { REFUSAL_BITS = 24 };

/* The last room on the disk belongs to calls that were answered. */
static bool is_spared(const struct call *c)
{
	struct gate *g = c->q.gate_of_source;

	if (!ledger_is_low(c->worker->hub->ledger))
		return false;
	if (g)
		atomic_fetch_add(&g->unrecorded, 1);
	return true;
}

/*
 * A flood of refused INVITEs of one source must not fill the disk (security.md F3): of those beyond CDR_REFUSED_MAX a minute there
 * is but a count.
 */
static bool is_flood(const struct call *c)
{
	int64_t most = param_int(c->worker->world->params, PARAM_CDR_REFUSED_MAX);
	struct gate *g = c->q.gate_of_source;
	uint64_t minute = (uint64_t)c->worker->loop.now_ms / MINUTE_MS, was, next;

	if (c->q.attempts > 0 || most == 0 || !g)
		return false;
	was = atomic_load(&g->refusals);
	do {
		bool is_same = was >> REFUSAL_BITS == minute;

		if (is_same && (was & ((1 << REFUSAL_BITS) - 1)) >= (uint64_t)most) {
			atomic_fetch_add(&g->unrecorded, 1);
			return true;
		}
		next = is_same ? was + 1 : minute << REFUSAL_BITS | 1;
	} while (!atomic_compare_exchange_weak(&g->refusals, &was, next));
	return false;
}

/* Is a record wanted? Answered calls always have one; others as SERVER_BILLING_RECORD_ZERO_HOLD_TIME says. */
static bool wants_record(const struct call *c, bool was_answered)
{
	return was_answered ||
	       (param_bool(c->worker->world->params, PARAM_SERVER_BILLING_RECORD_ZERO_HOLD_TIME) &&
		!is_spared(c) && !is_flood(c));
}

/* What the switch ended is booked all the same: without the record wanted it is one that no list shows. */
static bool is_hidden_end(const struct call *c, enum hangup side, bool was_answered)
{
	return was_answered && side == HANGUP_SWITCH &&
	       !param_bool(c->worker->world->params, PARAM_SERVER_BILLING_RECORD_SERVER_HANG_UP);
}

static void book(struct call *c, bool was_answered)
{
	struct cdr_row *copy = NULL;

	c->is_booked = true;
	if (!wants_record(c, was_answered))
		return;
	copy = TAKE(c->cdr);
	c->cdr = row_create(&entities[ENTITY_CDR]); /* for whoever still looks at the call */
	if (c->cdr && copy->call_id)
		c->cdr->call_id = strdup(copy->call_id);
	if (booking_end(c->worker->booking, (uint64_t)c->id, copy, was_answered)) {
		c->is_booked = false;
		return;
	}
	log_at(LOG_CRIT, NULL, "the ledger's ring is full: record %lld is lost", (long long)c->id);
	row_free(&entities[ENTITY_CDR], copy);
}

static void settle(struct call *c, struct leg *l, bool was_up)
{
	money_t charged = 0, cost = 0;

	c->q.callee_area = c->cdr->callee_area; /* the world's may be gone */
	if (was_up)
		charged = charge_customer(c);
	else
		packages_forget(c->cdr);
	if (was_up && c->q.price.is_rated)
		agents_settle(&c->q, c->cdr, charged);
	else
		agents_forget(c->cdr);
	spending_end(c, charged);
	if (l && l->is_answered)
		cost = charge_vendor(c->cdr, &l->cost, c->cdr->hold_ms);
	if (l && was_up)
		scored_talked(l, c->cdr->hold_ms, cost);
	c->cdr->held = c->q.price.held;
	if (c->q.price.purse && (c->q.price.held || charged))
		purse_settle(c->q.price.purse, c->q.price.held, charged);
	c->q.price.held = 0;
	watch_paid_up(c);
	if (l)
		leg_settle(l, cost);
	admit_release(&c->q);
}

/* Those before it end with it, at their own prices (forward.h). */
static void finish_fronts(struct call *c, enum reason why, enum hangup side, int code, bool was_up,
			  bool was_answered)
{
	for (struct call *f = c->front; f; f = f->front) {
		enum reason own = c->q.attempts == 0 && f->why != REASON_NONE ? f->why : why;

		f->caller.is_answered = c->caller.is_answered;
		f->q.world = c->worker->world;
		watched_end(&f->q, true, was_answered, own);
		settle(f, NULL, was_up);
		record_end(f, own, side, code);
		f->cdr->hidden |= is_hidden_end(c, side, was_answered);
		book(f, was_answered);
	}
}

void finish(struct call *c, enum reason why, enum hangup side, int code)
{
	struct leg *l = c->callee;
	bool was_up = c->state == CALL_UP;
	bool was_answered = c->state == CALL_UP || c->state == CALL_COMMITTING;

	if (c->state == CALL_OVER)
		return;
	if (code == 0)
		code = reason_sip_code(why);
	if (code < 300) /* a reason of answered calls, for one that was not */
		code = why == REASON_OPERATOR_HANGUP ? 480 : 503;
	put_cause(c, why, code);
	code = code_for_caller(c, why, code);
	/* A 200 that the caller never heard of: the vendor is paid its first increment, in a record of its own. */
	bool is_crossing = was_answered && !was_up &&
			   (why == REASON_CALLER_CANCEL || why == REASON_PRACK_MISSING);

	c->state = CALL_OVER;
	c->lookup = lookup_free(c->lookup);
	timer_stop(&c->setup_timer);
	timer_stop(&c->life_timer);
	timer_stop(&c->wait_timer);
	if (c->cause.n == 0 && reason_infos[why].q850 > 0)
		buf_printf(&c->cause, "Reason: Q.850;cause=%d\r\n", reason_infos[why].q850);
	measure(c, was_answered && !is_crossing);
	c->relay = relay_close(c->relay);

	refuse_caller(c, why, code);
	end_pending(&c->caller);
	if (was_up && !c->caller.is_over)
		leg_bye(&c->caller);
	if (is_crossing && l)
		finish_late(l);
	c->q.world = c->worker->world;
	watched_end(&c->q, c->q.attempts > 0, was_answered, why);
	settle(c, is_crossing ? NULL : l, was_up);
	record_end(c, why, side, code);
	count_end(c, side, was_up);
	end_callee(c);
	c->cdr->hidden |= is_hidden_end(c, side, was_answered);
	finish_fronts(c, why, side, code, was_up, was_answered);
	book(c, was_answered);
	bridge_over(c, why, side);
	if (c->bye) {
		c->wait_timer.on_expire = on_bye_timer;
		timer_start(&c->worker->loop.wheel, &c->wait_timer,
			    c->worker->loop.now_ms + BYE_WAIT_MS);
		if (c->is_booked)
			on_bye_timer(&c->wait_timer, 0);
	}
	call_reap(c);
}

void finish_booked(struct call *c)
{
	c->is_booked = true;
	timer_stop(&c->wait_timer);
	if (c->bye && !server_is_final(c->bye))
		(void)server_reply(c->bye, &(struct reply){ .code = 200 });
	call_reap(c);
}

/* ---- late answers ---- */

/* Best effort: a record without them is still right. */
static void copy_areas(struct cdr_row *r, const struct cdr_row *from)
{
	if (from && from->caller_area)
		r->caller_area = strdup(from->caller_area);
	if (from && from->callee_area)
		r->callee_area = strdup(from->callee_area);
	if (from && from->ported)
		r->ported = strdup(from->ported);
}

static int copy_facts(struct cdr_row *r, const struct leg *l, bool is_costed)
{
	const struct inquiry *q = &l->call->q;
	CLEANUP(buf_done) struct buf terms = BUF_INIT;

	r->call_id = strdup(l->call->caller.dialog.call_id);
	r->call_id_out = strdup(l->dialog.call_id);
	r->caller_in = strdup(q->caller_in.digits);
	r->callee_in = strdup(q->callee_in.digits);
	r->caller = strdup(q->caller.digits);
	r->callee = strdup(q->callee.digits);
	copy_areas(r, l->call->cdr);
	r->caller_out = strdup(identity_caller_sent(l));
	r->callee_out = strdup(l->callee_out.digits);
	*(l->is_phone ? &r->callee_phone : &r->routing_gateway) = strdup(l->gateway);
	r->reason = strdup(reason_name(REASON_LATE_ANSWER));
	r->vendor_account = l->cost.account ? strdup(l->cost.account) : NULL;
	if (is_costed) {
		terms_put(&l->cost.terms, &terms);
		r->cost_prefix = strdup(l->cost.prefix.digits);
		r->cost_origin = l->cost.origin[0] ? strdup(l->cost.origin) : NULL;
		r->cost_version = l->cost.version;
		r->cost_terms = buf_steal(&terms);
	}
	return r->call_id && (r->routing_gateway || r->callee_phone) && r->reason ? 0 : -1;
}

void finish_late(struct leg *l)
{
	struct worker *w = l->call->worker;
	struct cdr_row *r = row_create(&entities[ENTITY_CDR]);
	bool is_costed = l->cost.is_rated &&
			 param_bool(w->world->params, PARAM_SERVER_BILLING_LATE_ANSWER_COST);
	money_t cost = 0;

	if (!r)
		return;
	r->id = call_new_id(w);
	r->start = l->call->q.wall_ms;
	r->answer = r->end = clock_wall_ms();
	r->hangup_side = CDR_HANGUP_SIDE_SWITCH;
	r->sip_code = 200;
	r->vendor_code = 200;
	r->tries = 1;
	if (is_costed)
		cost = charge_vendor(r, &l->cost, l->cost.terms.first_s * 1000);
	leg_settle(l, cost);
	if (copy_facts(r, l, is_costed) < 0 || !booking_end(w->booking, 0, r, false))
		row_free(&entities[ENTITY_CDR], r);
}
