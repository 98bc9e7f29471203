#include "call/inner.h"

/*
 * What is looked after while a call is up: its money (holds are extended before they are used up, or the call ends at the last
 * affordable increment), its length, and the silence of its media. One timer, set to whatever comes first.
 */

/* The hold is extended this long before it is used up, so that a busy switch is never late. */
enum { EXTEND_EARLY_MS = 5000, MEDIA_LOOK_MS = 5000, DRY_LOOK_MS = 1000, DAY_MS = 86400000 };

static void arm(struct call *c);

/* Free numbers are not limited in time (rating.md), but for the day that no call passes (security.md B4). */
static int64_t longest_ms(const struct call *c)
{
	int64_t s = param_int(c->worker->world->params, PARAM_SS_MAXCALLDURATION);

	return s > 0 && s < DAY_MS / 1000 && !c->q.is_free ? s * 1000 : DAY_MS;
}

static int64_t silence_ms(const struct call *c)
{
	int64_t s = param_int(c->worker->world->params, PARAM_SS_MEDIA_TIMEOUT);

	return s > 0 ? s * 1000 : 0;
}

/* A call that outlived its money, and what it has cost beyond: the bound that `account show` states. */
static void run_on(struct call *c, int64_t age_ms)
{
	money_t over = charge_total(&c->q.price.terms, age_ms) - c->q.price.held;

	if (!c->is_dry)
		atomic_fetch_add(&c->q.price.purse->dry, 1);
	c->is_dry = true;
	if (over < 0)
		over = 0;
	atomic_fetch_add(&c->q.price.purse->overrun, over - c->overrun);
	c->overrun = over;
}

void watch_paid_up(struct call *c)
{
	if (!c->is_dry)
		return;
	atomic_fetch_sub(&c->q.price.purse->overrun, c->overrun);
	atomic_fetch_sub(&c->q.price.purse->dry, 1);
	c->overrun = 0;
	c->is_dry = false;
}

/* Money for the next slice; without any the call is cut at `reach_ms`, or runs on and keeps other
 * calls of the account from starting. A payment in between mends both. */
static void look_at_money(struct call *c, int64_t age_ms)
{
	if (!c->q.holds_money || age_ms < c->reach_ms - EXTEND_EARLY_MS)
		return;
	if (admit_extend(&c->q, c->reach_ms > age_ms ? c->reach_ms : age_ms, &c->reach_ms))
		watch_paid_up(c);
	else if (age_ms < c->reach_ms)
		return;
	else if (c->q.cut_off)
		finish(c, REASON_BALANCE_CUT_OFF, HANGUP_SWITCH, 0);
	else
		run_on(c, age_ms);
}

/* The journal learns when the media stopped, so that a crash bills no longer than that, and when it is back (0). */
static void mark_silence(struct call *c, ms_t heard)
{
	if (heard == c->heard_mono)
		return;
	if (booking_heard(c->worker->booking, c->id, heard))
		c->heard_mono = heard;
}

static void look_at_media(struct call *c, ms_t now_ms)
{
	int64_t limit = silence_ms(c);

	if (!c->relay || limit == 0)
		return;
	if (call_is_held(c)) {
		mark_silence(c, 0);
		return;
	}

	ms_t heard = relay_heard_ms(c->relay);

	if (now_ms - heard >= limit)
		finish(c, REASON_MEDIA_TIMEOUT, HANGUP_SWITCH, 0);
	else if (now_ms - heard >= MEDIA_LOOK_MS && heard > c->answer_mono)
		mark_silence(c, heard);
	else
		mark_silence(c, 0);
}

static void on_life_timer(struct timer *t, int64_t now_ms)
{
	struct call *c = CONTAINER(t, struct call, life_timer);
	int64_t age_ms = now_ms - c->answer_mono;

	if (c->state != CALL_UP)
		return;
	if (age_ms >= longest_ms(c)) {
		finish(c, REASON_MAX_DURATION, HANGUP_SWITCH, 0);
		return;
	}
	look_at_money(c, age_ms);
	if (c->state == CALL_UP)
		look_at_media(c, now_ms);
	if (c->state == CALL_UP)
		arm(c);
}

static void arm(struct call *c)
{
	ms_t now = c->worker->loop.now_ms;
	ms_t at = c->answer_mono + longest_ms(c);

	if (c->relay && silence_ms(c) && now + MEDIA_LOOK_MS < at)
		at = now + MEDIA_LOOK_MS;
	if (c->is_dry && now + DRY_LOOK_MS < at)
		at = now + DRY_LOOK_MS;
	if (c->q.holds_money && !c->is_dry && c->reach_ms < DAY_MS) {
		ms_t early = c->answer_mono + c->reach_ms - EXTEND_EARLY_MS;
		ms_t last = c->answer_mono + c->reach_ms;
		/* Past the first look the money may still come (a payment): look again at the very end. */
		ms_t money = early > now ? early : last > now ? last : now + 1;

		at = money < at ? money : at;
	}
	c->life_timer.on_expire = on_life_timer;
	timer_start(&c->worker->loop.wheel, &c->life_timer, at);
}

void watch_start(struct call *c)
{
	c->reach_ms =
		c->q.holds_money ? charge_reach_ms(&c->q.price.terms, c->q.price.held) : INT64_MAX;
	arm(c);
}
