#include <errno.h>

#include "base/clock.h"
#include "base/rand.h"
#include "call/hop.h"
#include "call/inner.h"

/*
 * Refreshing (RFC 4028 §7.4, §10): UPDATE where the peer allows it, else a re-INVITE with the description that it has. 408, 481 and
 * silence end the call; 491, 500 and other refusals are tried again until the session is about to expire.
 */

enum { OTHER_REFUSAL_S = 5, RETRY_AFTER_MAX_S = 32, JOURNAL_EVERY = 256 };

static void on_timer(struct timer *t, int64_t now_ms);

int64_t refresh_glare_ms(const struct leg *l)
{
	/* The owner of the Call-ID waits 2.1 to 4 s, the other up to 2 s, in steps of 10 ms. */
	return 10 * (l->side == SIDE_CALLEE ? 210 + rand_below(191) : rand_below(201));
}

static void again_in(struct leg *l, int64_t ms)
{
	ms_t at = l->call->worker->loop.now_ms + ms;

	timer_start(&l->call->worker->loop.wheel, &l->session.timer,
		    at < l->session.hang_at ? at : l->session.hang_at);
}

/* RFC 4028 §10: a third of the interval or 32 s before the end, whichever is less, unless it is set. */
static int64_t early_ms(const struct leg *l)
{
	int64_t third = l->session.interval_s * SECOND_MS / 3;
	int64_t s = param_int(l->call->worker->world->params,
			      PARAM_SS_SIP_SESSION_TIMEOUT_EARLY_HANGUP);

	if (s != PARAM_UNSET)
		return s * SECOND_MS;
	return third < 32 * SECOND_MS ? third : 32 * SECOND_MS;
}

static int64_t refresh_ms(const struct leg *l)
{
	int64_t segment =
		param_int(l->call->worker->world->params, PARAM_SS_SIP_SESSION_UPDATE_SEGMENT);

	return l->session.interval_s * SECOND_MS / (segment >= 2 ? segment : 2);
}

/* No session timer: the longest such call, counted from when that became clear; what happens later moves nothing. */
static void cap(struct leg *l)
{
	int64_t s =
		param_int(l->call->worker->world->params, PARAM_SS_SIP_NO_TIMER_REINVITE_INTERVAL);

	if (l->session.is_capped)
		return;
	l->session.is_capped = true;
	timer_stop(&l->session.timer);
	if (s > 0)
		timer_start(&l->call->worker->loop.wheel, &l->session.timer,
			    l->call->worker->loop.now_ms + s * SECOND_MS);
}

void refresh_start(struct leg *l)
{
	struct session *s = &l->session;
	ms_t now = l->call->worker->loop.now_ms;

	s->timer.on_expire = on_timer;
	if (s->interval_s == 0) {
		cap(l);
		return;
	}
	s->is_capped = false;

	ms_t next = now + (s->is_ours ? refresh_ms(l) : 0);

	/* Nothing has failed before a refresh was due: hanging up comes after that, however early it is set. */
	s->hang_at = now + s->interval_s * SECOND_MS - early_ms(l);
	if (s->hang_at < next + SECOND_MS)
		s->hang_at = next + SECOND_MS;
	timer_start(&l->call->worker->loop.wheel, &s->timer, s->is_ours ? next : s->hang_at);
}

void refresh_stop(struct leg *l)
{
	struct session *s = &l->session;

	timer_stop(&s->timer);
	if (s->refresh)
		client_detach(s->refresh);
	s->refresh = NULL;
	s->is_refreshing = false;
}

/* ---- the request ---- */

static void give_up(struct leg *l)
{
	trail_add(&l->call->q.trail, "session", "expired", "no refresh from the %s",
		  l->side == SIDE_CALLER ? "caller" : "vendor");
	finish(l->call, REASON_SESSION_TIMEOUT, HANGUP_SWITCH, 0);
}

static void refreshed(struct leg *l, const struct msg *m)
{
	(void)dialog_refresh_target(&l->dialog, m);
	hop_requests(l);
	leg_learn(l, m);
	if (m->method == METHOD_INVITE) {
		leg_ack(l, m->cseq, STR(""));
		if (m->body.n > 0)
			offer_relearn(l, m->body);
	}
	session_read_answer(l, m);
	refresh_start(l);
	/* After a crash BYE goes out with a CSeq ahead of the journal's, but only so far ahead. */
	if (l->dialog.local_cseq % JOURNAL_EVERY == 0)
		leg_journal(l->call);
}

/* As it says, but neither at once nor beyond half a minute. */
static int64_t refusal_ms(const struct msg *m)
{
	uint32_t s = ext_retry_after(m, RETRY_AFTER_MAX_S, OTHER_REFUSAL_S);

	return (s ? s : 1) * (int64_t)SECOND_MS;
}

static void refused(struct leg *l, const struct msg *m)
{
	switch (m->status) {
	case 408:
	case 481:
		give_up(l);
		return;
	case 422:
		again_in(l, session_raise(l, m) ? 0 : OTHER_REFUSAL_S * SECOND_MS);
		return;
	case 491:
		again_in(l, refresh_glare_ms(l));
		return;
	case 405:
	case 501:
		if (m->method == METHOD_UPDATE) {
			l->can_update = false;
			again_in(l, 0);
			return;
		}
		break;
	default:
		break;
	}
	again_in(l, refusal_ms(m));
}

static void on_response(void *ctx, struct client_txn *t, const struct msg *m)
{
	struct leg *l = ctx;

	(void)t;
	if (m->status < 200)
		return;
	if (!l->session.is_refreshing) {
		leg_repeat_ack(l, m);
		return;
	}
	l->session.is_refreshing = false;
	if (m->status < 300)
		refreshed(l, m);
	else
		refused(l, m);
}

static void on_fail(void *ctx, struct client_txn *t, int error)
{
	struct leg *l = ctx;

	(void)t;
	if (!l->session.is_refreshing)
		return;
	l->session.is_refreshing = false;
	if (error == -ETIMEDOUT)
		give_up(l);
	else
		again_in(l, OTHER_REFUSAL_S * SECOND_MS);
}

static void on_done(void *ctx, struct client_txn *t)
{
	struct leg *l = ctx;

	if (l->session.refresh == t)
		l->session.refresh = NULL;
}

static const struct client_owner refresh_owner = { on_response, on_fail, on_done };

static void send_refresh(struct leg *l)
{
	struct session *s = &l->session;
	CLEANUP(buf_done) struct buf extra = BUF_INIT;
	bool by_update = l->can_update || l->sdp.n == 0;
	struct draft d = { .method = by_update ? METHOD_UPDATE : METHOD_INVITE,
			   .with_contact = true,
			   .allow = leg_allow(l) };

	if (!by_update) {
		d.content_type = STR("application/sdp");
		d.body = buf_str(&l->sdp);
	}
	session_put_request(l, &extra);
	d.extra = buf_str(&extra);
	if (s->refresh)
		client_detach(s->refresh);
	s->refresh = NULL;
	if (buf_error(&extra) || leg_send(l, &d, &refresh_owner, l, &s->refresh) < 0) {
		again_in(l, OTHER_REFUSAL_S * SECOND_MS);
		return;
	}
	s->is_refreshing = true;
	timer_start(&l->call->worker->loop.wheel, &s->timer, s->hang_at);
}

/* Something else is under way on this leg, or its first answer was not acknowledged yet. */
static bool is_busy(const struct leg *l)
{
	return l->is_asked || l->is_asking || !l->is_acked;
}

static void on_timer(struct timer *t, int64_t now_ms)
{
	struct leg *l = CONTAINER(t, struct leg, session.timer);
	struct session *s = &l->session;

	if (l->call->state != CALL_UP)
		return;
	if (s->interval_s == 0)
		finish(l->call, REASON_NO_TIMER_LIMIT, HANGUP_SWITCH, 0);
	else if (now_ms >= s->hang_at)
		give_up(l);
	else if (is_busy(l))
		again_in(l, SECOND_MS);
	else
		send_refresh(l);
}
