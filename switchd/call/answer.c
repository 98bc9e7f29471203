#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "call/agents.h"
#include "call/hop.h"
#include "call/identity.h"
#include "call/inner.h"
#include "call/packages.h"

/* An answer that is not durable by then is taken back (behaviour.md, Money). */
enum { COMMIT_MS = 2000 };

static void on_commit_timer(struct timer *t, int64_t now_ms)
{
	struct call *c = CONTAINER(t, struct call, wait_timer);

	(void)now_ms;
	if (c->state == CALL_COMMITTING)
		finish(c, REASON_STORE_UNAVAILABLE, HANGUP_SWITCH, 0);
}

/* The rate in force at the answer rates the whole call (rating.md); without one any more, the one admitted stays. */
static void fix_customer(struct call *c, ms_t now)
{
	const struct world *w = c->worker->world;
	const struct payer *payer = world_payer(w, c->q.price.account);

	c->q.world = w;
	if (payer && !c->q.is_free)
		(void)inquiry_price(&c->q, payer, now);
	if (payer)
		agents_fix(&c->q, payer, now);
}

static void fix_prices(struct call *c, struct leg *l)
{
	const struct world *w = c->worker->world;
	const struct payer *vendor = world_payer(w, l->cost.account);
	ms_t now = clock_wall_ms();

	for (struct call *p = c; p; p = p->front)
		fix_customer(p, now);
	if (!vendor)
		return;

	struct number number = inquiry_vendor_number(&c->q, leg_vendor(l), &l->callee_out);
	(void)price_find(&l->cost, vendor, number.digits,
			 inquiry_vendor_caller(&c->q, leg_vendor(l), &l->caller_out), now, NULL);
}

static void record_answer(struct call *c, struct leg *l)
{
	struct cdr_row *r = c->cdr;

	r->answer = clock_wall_ms();
	if (r->pdd_ms == FIELD_ABSENT)
		r->pdd_ms = c->answer_mono - c->q.mono_ms;
	r->vendor_code = 200;
	for (struct call *f = c->front; f; f = f->front) {
		f->answer_mono = c->answer_mono;
		f->cdr->answer = r->answer;
		f->cdr->sip_code = 200;
		if (f->cdr->pdd_ms == FIELD_ABSENT)
			f->cdr->pdd_ms = f->answer_mono - f->q.mono_ms;
	}
	free(r->vendor_account);
	r->vendor_account = l->cost.account ? strdup(l->cost.account) : NULL;

	struct attempt a = { .n = l->attempt, .code = 200, .ms = c->answer_mono - c->q.mono_ms };

	trail_try(&c->q.trail, l->gateway, "answered", &a, "after %lld ms", (long long)a.ms);
}

/* Prices as text into the record, for the journal and the CDR alike. */
static void record_price(const struct price *p, char **prefix, char **origin, int64_t *version,
			 char **terms)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;

	free(*prefix);
	free(*origin);
	free(*terms);
	*prefix = *origin = *terms = NULL;
	if (!p->is_rated)
		return;
	*prefix = strdup(p->prefix.digits);
	*origin = p->origin[0] ? strdup(p->origin) : NULL;
	*version = p->version;
	terms_put(&p->terms, &b);
	*terms = buf_steal(&b);
}

/* The row that a crash would be closed from: the record as it stands, and how to reach both peers (handed over). */
static bool journal_part(struct call *c, char *legs)
{
	struct cdr_row *r = c->cdr;
	CLEANUP(buf_done) struct buf scratch = BUF_INIT;

	record_price(&c->q.price, &r->rate_prefix, &r->rate_origin, &r->rate_version,
		     &r->rate_terms);
	agents_record(&c->q, r);
	packages_record(&c->q, r);
	r->held = c->q.price.held;
	free(r->decisions);
	r->decisions = str_dup(trail_text(&c->q.trail, &scratch));

	struct cdr_row *copy = row_copy(&entities[ENTITY_CDR], r);
	int64_t reach_ms = c->q.cut_off ? packages_reach_ms(&c->q, c->q.price.held) : 0;

	if (!copy || !legs ||
	    !booking_answer(c->worker->booking, (uint64_t)c->id, copy, legs, c->answer_mono,
			    reach_ms, c->answer_mono + COMMIT_MS)) {
		row_free(&entities[ENTITY_CDR], copy);
		free(legs);
		return false;
	}
	c->was_journalled = true;
	return true;
}

/* The last one's receipt stands for all: what is mailed before it is booked before it. */
static bool journal(struct call *c, struct leg *l)
{
	struct cdr_row *r = c->cdr;

	record_price(&l->cost, &r->cost_prefix, &r->cost_origin, &r->cost_version, &r->cost_terms);
	for (struct call *f = c->front; f; f = f->front) {
		if (!journal_part(f, strdup("[]")))
			return false;
	}
	return journal_part(c, orphan_legs(c));
}

/*
 * The description for the caller's 200: the vendor's, or, after early media, the one the caller has. One that nobody can read is the
 * vendor's fault.
 */
static enum reason describe(struct leg *l, const struct msg *m)
{
	struct call *c = l->call;
	CLEANUP(buf_done) struct buf sdp = BUF_INIT;
	CLEANUP(buf_done) struct buf kept = BUF_INIT;

	if (c->has_early_sdp)
		buf_put(&kept, buf_str(&c->caller.sdp));
	enum reason r = offer_pass(l, &c->caller, m->body, &sdp);
	if (c->has_early_sdp) {
		buf_clear(&c->caller.sdp);
		buf_put(&c->caller.sdp, buf_str(&kept));
		return REASON_NONE;
	}
	return r == REASON_BAD_REQUEST || r == REASON_CODEC_MISMATCH ? REASON_UPSTREAM_FAILURE : r;
}

static void wait_for_commit(struct call *c)
{
	c->wait_timer.on_expire = on_commit_timer;
	timer_start(&c->worker->loop.wheel, &c->wait_timer, c->answer_mono + COMMIT_MS);
}

void answer_received(struct leg *l, const struct msg *m)
{
	struct call *c = l->call;

	if (l->is_answered) { /* a 2xx again: our ACK was lost, or another fork answered */
		leg_repeat_ack(l, m);
		return;
	}
	if (c->state != CALL_HUNTING || l != c->callee) {
		answer_late(l, m);
		return;
	}
	timer_stop(&c->setup_timer);
	c->answer_mono =
		clock_mono_ms(); /* money is counted from here: not from the turn's start */
	l->is_answered = true;
	l->stage = TRY_ANSWERED;
	outcome_worked(l);
	scored_rang(l);
	scored_over(l, true);
	c->state = CALL_COMMITTING;
	fix_prices(c, l);
	record_answer(c, l);
	identity_answered(l, m);

	leg_learn(l, m);
	session_read_answer(l, m);

	enum reason r = dialog_update(&l->dialog, m) < 0 ? REASON_OVERLOAD : describe(l, m);
	hop_requests(l);
	if (c->offer.n > 0) /* else our ACK carries the caller's answer, when that comes */
		leg_ack(l, l->invite_cseq, STR(""));
	if (r == REASON_NONE && !journal(c, l))
		r = REASON_OVERLOAD;
	if (r != REASON_NONE) {
		finish(c, r, HANGUP_SWITCH, 0);
		return;
	}
	wait_for_commit(c);
}

void answer_tied(struct call *c)
{
	c->answer_mono = clock_mono_ms();
	c->state = CALL_COMMITTING;
	c->cdr->answer = clock_wall_ms();
	c->cdr->pdd_ms = c->answer_mono - c->q.mono_ms;
	if (journal_part(c, orphan_legs(c)))
		wait_for_commit(c);
	else
		finish(c, REASON_OVERLOAD, HANGUP_SWITCH, 0);
}

static void accept_caller(struct call *c)
{
	CLEANUP(buf_done) struct buf extra = BUF_INIT;

	reliable_stop(&c->caller);
	leg_put_allow(&c->caller, &extra);
	session_put_answer(&c->caller, &extra);
	(void)server_reply(
		c->caller.invited,
		&(struct reply){ .code = 200,
				 .to_tag = c->caller.dialog.local_tag,
				 .record_route = true,
				 .contact = &c->caller.local,
				 .extra = buf_str(&extra),
				 .content_type = c->caller.sdp.n ? STR("application/sdp") : STR(""),
				 .body = buf_str(&c->caller.sdp) });
}

void answer_booked(struct call *c, int error)
{
	if (error < 0)
		c->was_journalled = false;
	if (c->state != CALL_COMMITTING)
		return;
	timer_stop(&c->wait_timer);
	if (error < 0) {
		finish(c, REASON_STORE_UNAVAILABLE, HANGUP_SWITCH, 0);
		return;
	}
	if (reliable_holds_answer(&c->caller))
		return;
	c->state = CALL_UP;
	c->caller.is_answered = true;
	c->cdr->sip_code = 200;
	atomic_fetch_add_explicit(&c->worker->stats->answered, 1, memory_order_relaxed);
	accept_caller(c);
	watch_start(c);
	refresh_start(&c->caller);
	if (c->callee)
		refresh_start(c->callee);
	if (c->left_mono)
		finish(c, REASON_CALLEE_HANGUP, HANGUP_CALLEE, 0);
}

void answer_acked(struct leg *caller, const struct msg *ack)
{
	struct call *c = caller->call;
	struct leg *callee = c->callee;
	CLEANUP(buf_done) struct buf sdp = BUF_INIT;

	if (caller->invited && ack->cseq == caller->invite_cseq) {
		caller->is_acked = true;
		server_acked(caller->invited);
	}
	if (callee && callee->is_answered && !callee->is_acked) {
		if (ack->body.n > 0)
			(void)offer_pass(caller, callee, ack->body, &sdp);
		leg_ack(callee, callee->invite_cseq, buf_str(&sdp));
	}
	if (caller->bye_is_due)
		leg_bye(caller);
}

void answer_late(struct leg *l, const struct msg *m)
{
	struct call *c = l->call;

	l->is_answered = true;
	(void)dialog_update(&l->dialog, m);
	hop_requests(l);
	leg_ack(l, l->invite_cseq, STR(""));
	leg_bye(l);
	finish_late(l);
	leg_retire(l);
	call_reap(c);
}
