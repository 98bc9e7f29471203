#include "call/forward.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "call/watched.h"
#include "sip/party.h"

enum { FORWARDS_MAX = 3 };

/* What a phone has a number for, and what RFC 5806 calls it. */
enum cause { CAUSE_ALWAYS, CAUSE_BUSY, CAUSE_NO_ANSWER, CAUSE_OFFLINE, CAUSE_COUNT };

static const struct {
	const char *word;
	enum reason reason; /* of the front, if no more comes of it */
	int code;
} causes[CAUSE_COUNT] = {
	[CAUSE_ALWAYS] = { "unconditional", REASON_REJECTED, 480 },
	[CAUSE_BUSY] = { "user-busy", REASON_USER_BUSY, 486 },
	[CAUSE_NO_ANSWER] = { "no-answer", REASON_NO_ANSWER, 480 },
	[CAUSE_OFFLINE] = { "unavailable", REASON_PHONE_OFFLINE, 480 },
};

/* NULL: it has none. A phone that may not call sends nobody on. */
static const char *target_of(const struct phone_row *p, enum cause cause, ms_t wall_ms)
{
	const char *const targets[CAUSE_COUNT] = {
		[CAUSE_ALWAYS] = p->forward_always,
		[CAUSE_BUSY] = p->forward_busy,
		[CAUSE_NO_ANSWER] = p->forward_no_answer,
		[CAUSE_OFFLINE] = p->forward_offline,
	};

	if (p->status != PHONE_STATUS_NORMAL ||
	    (p->valid_until != FIELD_ABSENT && wall_ms >= p->valid_until))
		return NULL;
	return targets[cause] && targets[cause][0] ? targets[cause] : NULL;
}

/* ---- the front ---- */

static struct call *front_free(struct call *f)
{
	if (!f)
		return NULL;
	inquiry_done(&f->q);
	row_free(&entities[ENTITY_CDR], f->cdr);
	if (f->has_room)
		booking_give_room(f->worker->booking);
	free(f);
	return NULL;
}

void forward_done(struct call *c)
{
	while (c->front) {
		struct call *f = c->front;

		c->front = f->front;
		(void)front_free(f);
	}
}

static struct call *front_create(struct worker *w)
{
	struct call *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->worker = w;
	f->id = call_new_id(w);
	f->has_room = booking_take_room(w->booking);
	return f->has_room ? f : front_free(f);
}

/* The record of the phone's own call. */
static struct cdr_row *new_record(const struct call *c, const struct phone *p)
{
	struct cdr_row *r = row_create(&entities[ENTITY_CDR]);

	if (!r)
		return NULL;
	r->id = c->id;
	r->start = clock_wall_ms();
	r->call_id = strdup(c->caller.dialog.call_id);
	r->caller_phone = strdup(p->row->number);
	r->account = strdup(p->row->account);
	r->caller_ip = c->cdr->caller_ip ? strdup(c->cdr->caller_ip) : NULL;
	if (!r->call_id || !r->caller_phone || !r->account) {
		row_free(&entities[ENTITY_CDR], r);
		return NULL;
	}
	return r;
}

/* Who sent the INVITE stays known, though another pays now. 0 or -1. */
static int keep_sender(struct call *c)
{
	const struct cdr_row *r = c->cdr;

	if (c->sender)
		return 0;
	c->is_sender_phone = r->caller_phone != NULL;
	c->sender = strdup(r->caller_phone ? r->caller_phone : r->mapping_gateway);
	return c->sender ? 0 : -1;
}

/* What the call was becomes its front; what the call is now is the phone's, not admitted yet. 0 or -1: nothing has changed. */
static int step_back(struct call *c, const struct phone *p, enum cause cause)
{
	struct worker *w = c->worker;
	struct call *f = front_create(w);
	struct cdr_row *r = f ? new_record(c, p) : NULL;
	char *called = strdup(p->row->number);

	if (!r || !called || keep_sender(c) < 0) {
		free(called);
		row_free(&entities[ENTITY_CDR], r);
		(void)front_free(f);
		return -1;
	}
	f->q = c->q;
	f->q.shown_by = NULL;
	f->cdr = c->cdr;
	f->cdr->id = f->id;
	free(f->cdr->callee_phone);
	f->cdr->callee_phone = called;
	f->why = causes[cause].reason;
	f->diverted = causes[cause].word;
	f->front = c->front;
	c->front = f;
	c->cdr = r;
	c->q = (struct inquiry){ .hub = w->hub,
				 .prices = w->prices,
				 .world = w->world,
				 .source = &p->source,
				 .gate_of_source = p->source.gate,
				 .caller_in = f->q.caller_in,
				 .is_referred = true,
				 .is_secure = f->q.is_secure,
				 .mono_ms = w->loop.now_ms,
				 .wall_ms = clock_wall_ms() };
	c->tried = (struct tried){ 0 };
	c->verdict = (struct verdict){ 0 };
	c->why = REASON_NONE;
	c->ring_mono = 0;
	return 0;
}

/* ---- the phone's call ---- */

static bool shows_caller(const struct call *c, const struct phone_row *p)
{
	if (p->forward_display == PHONE_FORWARD_DISPLAY_SYSTEM)
		return param_bool(c->worker->world->params,
				  PARAM_SS_CALL_FORWARD_USING_ORIGINAL_CALLER);
	return p->forward_display == PHONE_FORWARD_DISPLAY_CALLER;
}

/* The two are one call of the switch: it is not counted twice. */
static void leave_total(struct inquiry *q)
{
	if (q->has_total)
		atomic_fetch_sub(&q->hub->calls, 1);
	q->has_total = false;
}

static enum reason check(struct call *c, const struct phone *p, const char *target)
{
	enum reason r;

	if (number_set(&c->q.callee_in, str_of(target)) < 0)
		return REASON_NUMBER_INVALID;
	if (shows_caller(c, p->row))
		c->q.shown_by = call_peer(c);
	trail_add(&c->q.trail, "forward", "ok", "%s, called by %s, sends it on and pays",
		  p->row->number, c->sender);
	leave_total(&c->front->q);
	r = admit(&c->q);
	if (r == REASON_NONE) /* by the number as sent on: nobody is asked where it is */
		r = admit_price(&c->q);
	c->q.shown_by = NULL; /* lives no longer than this turn */
	if (setup_keep_numbers(c) < 0 && r == REASON_NONE)
		r = REASON_OVERLOAD;
	setup_keep_charged(c);
	c->cdr->hidden = c->q.is_hidden;
	return r;
}

/* How often it was sent on already; -1: once by this phone. */
static int count(const struct call *c, const struct phone *p)
{
	int n = 0;

	for (const struct call *f = c->front; f; f = f->front, n++) {
		if (f->cdr->callee_phone &&
		    str_eq(str_of(f->cdr->callee_phone), str_of(p->row->number)))
			return -1;
	}
	return n;
}

static bool go(struct call *c, const struct phone *p, const char *target, enum cause cause)
{
	int n = count(c, p);

	if (n < 0 || n == FORWARDS_MAX) {
		finish(c, REASON_LOOP_DETECTED, HANGUP_SWITCH, 0);
		return true;
	}
	trail_add(&c->q.trail, "forward", causes[cause].word, "%s sends it on to %s",
		  p->row->number, target);
	if (step_back(c, p, cause) < 0)
		return false;

	enum reason r = check(c, p, target);

	traced_call(c);
	/* What is wrong with the phone's call is no business of the caller. */
	if (r != REASON_NONE) {
		finish(c, r, HANGUP_SWITCH, causes[cause].code);
		return true;
	}
	if (c->caller.invited)
		reliable_tell(&c->caller, 181, STR(""));
	hunt_next(c);
	return true;
}

/* The phone that is called, if it may send this call on. */
static const struct phone *called(const struct call *c)
{
	if (c->state != CALL_HUNTING || c->q.only)
		return NULL;
	return world_phone_called(c->worker->world, str_of(c->q.callee.digits));
}

bool forward_always(struct call *c)
{
	const struct phone *p = c->q.attempts == 0 ? called(c) : NULL;
	const char *target = p ? target_of(p->row, CAUSE_ALWAYS, clock_wall_ms()) : NULL;

	return target && go(c, p, target, CAUSE_ALWAYS);
}

bool forward_after(struct call *c, enum reason why)
{
	const struct phone *p = called(c);
	const char *target = NULL;
	enum cause cause;

	/* The hunt's time may end while it rings: what the ringing came to says more. */
	if (why == REASON_HUNT_TIMEOUT)
		why = c->why;
	for (cause = CAUSE_BUSY; p && cause < CAUSE_COUNT; cause++) {
		if (causes[cause].reason == why) {
			target = target_of(p->row, cause, clock_wall_ms());
			break;
		}
	}
	return target && go(c, p, target, cause);
}

void forward_explain(struct inquiry *q, const struct phone *p)
{
	for (enum cause cause = CAUSE_ALWAYS; cause < CAUSE_COUNT; cause++) {
		const char *target = target_of(p->row, cause, q->wall_ms);

		if (target)
			trail_add(&q->trail, "forward", causes[cause].word, "%s sends it on to %s",
				  p->row->number, target);
	}
}

void forward_put_diversion(const struct call *c, const char *here, struct buf *out)
{
	for (const struct call *f = c->front; f; f = f->front) {
		buf_put(out, STR("Diversion: <sip:"));
		party_put_user(str_of(f->cdr->callee_phone), out);
		buf_printf(out, "@%s>;reason=%s;counter=1\r\n", here, f->diverted);
	}
}
