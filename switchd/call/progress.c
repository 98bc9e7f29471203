#include "call/inner.h"

/* How long the vendor may go on without the next step (SS_SIP_TIMEOUT_*). */
static void wait_longer(struct leg *l, int status)
{
	struct call *c = l->call;
	const struct vendor *v = world_vendor(c->worker->world, l->gateway);
	const struct params *p = c->worker->world->params;
	bool rings = status == 180 || l->stage >= TRY_RINGING;
	int64_t own = v && rings ? v->row->timeout_ringing : 0;
	int64_t s = own > 0 ? own
			    : param_int(p, rings ? PARAM_SS_SIP_TIMEOUT_RINGING
						 : PARAM_SS_SIP_TIMEOUT_TRYING);

	/* The budget of the hunt ends the wait for a first sign of ringing too. */
	ms_t at = c->worker->loop.now_ms + (s > 0 ? s : 20) * 1000;
	int64_t hunt_s = param_int(p, PARAM_SS_HUNT_TIMEOUT);
	ms_t latest = c->q.mono_ms + (hunt_s > 0 ? hunt_s : 20) * 1000;

	timer_start(&c->worker->loop.wheel, &c->setup_timer, rings || at < latest ? at : latest);
}

static void first_ring(struct call *c)
{
	if (c->ring_mono)
		return;
	c->ring_mono = c->worker->loop.now_ms;
	c->cdr->ring = clock_wall_ms();
	c->cdr->pdd_ms = c->ring_mono - c->q.mono_ms;
	atomic_fetch_add_explicit(&c->worker->stats->pdd_ms, (uint64_t)c->cdr->pdd_ms,
				  memory_order_relaxed);
	atomic_fetch_add_explicit(&c->worker->stats->pdd_count, 1, memory_order_relaxed);
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
	(void)server_reply(
		c->caller.invited,
		&(struct reply){ .code = m->status,
				 .to_tag = c->caller.dialog.local_tag,
				 .record_route = true,
				 .contact = &c->caller.local,
				 .content_type = sdp.n ? STR("application/sdp") : STR(""),
				 .body = buf_str(&sdp) });
}

void progress_provisional(struct leg *l, const struct msg *m)
{
	struct call *c = l->call;

	if (c->state != CALL_HUNTING || l != c->callee)
		return;
	if (m->status > 100) {
		first_ring(c);
		if (!str_is_empty(m->to_tag))
			(void)dialog_update(&l->dialog, m);
		if (l->stage < TRY_RINGING)
			l->stage = TRY_RINGING;
	}
	wait_longer(l, m->status);
	if (m->status > 100 && m->status != 199 && c->caller.invited)
		pass_on(l, m);
}
