#include <stddef.h>
#include <string.h>

#include "call/hop.h"

/* How long the vendor may go on without the next step; a gateway's own value, unless it is 0. */
static int64_t wait_s(const struct vendor *v, const struct params *p, enum wait wait)
{
	static const struct {
		size_t own;
		enum param system;
	} waits[] = {
		[WAIT_TRYING] = { offsetof(struct routing_gateway_row, timeout_trying),
				  PARAM_SS_SIP_TIMEOUT_TRYING },
		[WAIT_PROGRESS] = { offsetof(struct routing_gateway_row, timeout_progress),
				    PARAM_SS_SIP_TIMEOUT_SESSION_PROGRESS },
		[WAIT_RINGING] = { offsetof(struct routing_gateway_row, timeout_ringing),
				   PARAM_SS_SIP_TIMEOUT_RINGING },
		[WAIT_EARLY_MEDIA] = { offsetof(struct routing_gateway_row, timeout_progress_sdp),
				       PARAM_SS_SIP_TIMEOUT_SESSION_PROGRESS_SDP },
	};
	int64_t own = 0;

	if (v)
		memcpy(&own, (const char *)v->row + waits[wait].own, sizeof(own));

	int64_t s = own > 0 ? own : param_int(p, waits[wait].system);

	return s > 0 ? s : 20;
}

static enum wait wait_of(const struct leg *l, int status)
{
	if (status == 100)
		return WAIT_TRYING;
	if (l->stage >= TRY_EARLY_MEDIA)
		return WAIT_EARLY_MEDIA;
	return status == 183 ? WAIT_PROGRESS : WAIT_RINGING;
}

/* A step forward starts a time of its own; a repeated 180 does not prolong the ringing. */
static void wait_longer(struct leg *l, int status)
{
	struct call *c = l->call;
	const struct params *p = c->worker->world->params;
	enum wait wait = wait_of(l, status);

	if (wait <= l->wait || status == 199)
		return;
	l->wait = wait;

	/* The budget of the hunt ends the wait for a first sign of ringing too. */
	ms_t at = c->worker->loop.now_ms + wait_s(leg_vendor(l), p, wait) * 1000;
	int64_t hunt_s = param_int(p, PARAM_SS_HUNT_TIMEOUT);
	ms_t latest = c->q.mono_ms + (hunt_s > 0 ? hunt_s : 20) * 1000;

	timer_start(&c->worker->loop.wheel, &c->setup_timer,
		    wait > WAIT_TRYING || at < latest ? at : latest);
}

/* Those that wait before it, and have not heard ringing yet. */
static void ring_fronts(const struct call *c)
{
	for (struct call *f = c->front; f; f = f->front) {
		if (f->cdr->pdd_ms != FIELD_ABSENT)
			continue;
		f->cdr->ring = c->cdr->ring;
		f->cdr->pdd_ms = c->ring_mono - f->q.mono_ms;
	}
}

static void first_ring(struct call *c)
{
	if (c->ring_mono)
		return;
	c->ring_mono = c->worker->loop.now_ms;
	c->cdr->ring = clock_wall_ms();
	c->cdr->pdd_ms = c->ring_mono - c->q.mono_ms;
	ring_fronts(c);
	atomic_fetch_add_explicit(&c->worker->stats->pdd_ms, (uint64_t)c->cdr->pdd_ms,
				  memory_order_relaxed);
	atomic_fetch_add_explicit(&c->worker->stats->pdd_count, 1, memory_order_relaxed);
}

struct ringing {
	int code;
	struct str sdp;
};

/*
 * What the customer's gateway wants to hear of ringing (features.md 1.4, "Ringback"). A 183 without a description would leave the
 * caller in silence: until there is one, ringing stays what it is.
 */
static struct ringing ring_for_caller(const struct call *c, int status, struct str sdp)
{
	const struct source *s = call_peer(c);
	int64_t mode = s ? s->row->ringback : MAPPING_GATEWAY_RINGBACK_PASS;

	if (mode == MAPPING_GATEWAY_RINGBACK_180)
		return (struct ringing){ 180, sdp };
	if (mode == MAPPING_GATEWAY_RINGBACK_183 && c->has_early_sdp)
		return (struct ringing){ 183, buf_str(&c->caller.sdp) };
	return (struct ringing){ status, sdp };
}

/* 18x to the caller with our description; a description that the caller has already stays as it is. */
static void pass_on(struct leg *l, const struct msg *m)
{
	struct call *c = l->call;
	CLEANUP(buf_done) struct buf sdp = BUF_INIT;
	bool had_sdp = c->has_early_sdp;

	if (m->body.n > 0 && c->offer.n > 0) {
		if (l->stage < TRY_EARLY_MEDIA)
			l->stage = TRY_EARLY_MEDIA;
		if (had_sdp) {
			CLEANUP(buf_done) struct buf unused = BUF_INIT;
			CLEANUP(buf_done) struct buf kept = BUF_INIT;

			/* The relay learns the new vendor's address; what the caller was told is kept for the answer. */
			buf_put(&kept, buf_str(&c->caller.sdp));
			(void)offer_pass(l, &c->caller, m->body, &unused);
			buf_clear(&c->caller.sdp);
			buf_put(&c->caller.sdp, buf_str(&kept));
		} else if (offer_pass(l, &c->caller, m->body, &sdp) == REASON_NONE) {
			c->has_early_sdp = sdp.n > 0;
		} else {
			buf_clear(&sdp); /* the answer may still be good */
		}
	}
	struct ringing r = ring_for_caller(c, m->status, buf_str(&sdp));

	reliable_tell(&c->caller, r.code, r.sdp);
}

void progress_provisional(struct leg *l, const struct msg *m)
{
	struct call *c = l->call;

	if (c->state != CALL_HUNTING || l != c->callee)
		return;
	if (m->status > 100) {
		first_ring(c);
		outcome_worked(l);
		scored_rang(l);
		if (!str_is_empty(m->to_tag))
			(void)dialog_update(&l->dialog, m);
		hop_requests(l);
		if (!reliable_received(l, m))
			return;
		leg_learn(l, m);
		if (l->stage < TRY_RINGING)
			l->stage = TRY_RINGING;
	}
	if (m->status > 100 && m->status != 199 && c->caller.invited)
		pass_on(l, m);
	wait_longer(l, m->status);
}
