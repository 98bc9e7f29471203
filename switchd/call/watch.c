#include "call/inner.h"
#include "call/packages.h"
#include "call/spending.h"

/*
 * What is looked after while a call is up: its money (holds are extended before they are used up, or the call ends at the last
 * affordable increment), its length, and the silence of its media. One timer, set to whatever comes first.
 */

/* The hold is extended this long before it is used up, so that a busy switch is never late. */
enum { EXTEND_EARLY_MS = 5000, MEDIA_LOOK_MS = 5000, DRY_LOOK_MS = 1000 };

static void arm(struct call *c);

struct longest {
	int64_t s;
	const char *by;
};

static void bound(struct longest *l, int64_t s, const char *by)
{
	if (s > 0 && s < l->s)
		*l = (struct longest){ s, by };
}

/* Free numbers are not limited in time (rating.md), but for the day that no call passes (security.md B4). */
static struct longest longest(const struct call *c)
{
	struct longest l = { DAY_MS / 1000, "a day, that no call passes" };

	if (c->q.is_free)
		return l;
	bound(&l, param_int(c->worker->world->params, PARAM_SS_MAXCALLDURATION),
	      "SS_MAXCALLDURATION");
	bound(&l, c->q.longest_s, c->q.longest_by);
	bound(&l, c->callee ? c->callee->longest_s : 0, "the routing gateway");
	return l;
}

/* The call, and each that led to it by being sent on: the first whose time is over ends all. */
static bool end_if_too_long(struct call *c, int64_t age_ms)
{
	for (struct call *p = c; p; p = p->front) {
		struct longest l = longest(p);

		if (age_ms < l.s * 1000)
			continue;
		trail_add(&p->q.trail, "longest call", "end", "%lld s, by %s", (long long)l.s,
			  l.by);
		finish(c, REASON_MAX_DURATION, HANGUP_SWITCH, 0);
		return true;
	}
	return false;
}

static int64_t silence_ms(const struct call *c)
{
	int64_t s = param_int(c->worker->world->params, PARAM_SS_MEDIA_TIMEOUT);

	return s > 0 ? s * 1000 : 0;
}

/* A call that outlived its money, and what it has cost beyond: the bound that `account show` states. */
static void run_on(struct call *c, int64_t age_ms)
{
	money_t over = packages_charge(&c->q, age_ms) - c->q.price.held;

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

/* Money, or what packages give, is held a slice at a time. */
static bool has_slices(const struct call *c)
{
	return c->q.holds_money || c->q.has_packages;
}

/* Money for the next slice; without any the call is cut at `reach_ms`, or runs on and keeps other
 * calls of the account from starting. A payment in between mends both. */
static void look_at_money(struct call *c, struct call *whole, int64_t age_ms)
{
	if (!has_slices(c) || age_ms < c->reach_ms - EXTEND_EARLY_MS)
		return;
	c->q.world = c->worker->world;
	c->q.callee_area = c->cdr->callee_area; /* the one of admission may be gone */
	if (admit_extend(&c->q, c->reach_ms > age_ms ? c->reach_ms : age_ms, &c->reach_ms)) {
		watch_paid_up(c);
		if (c->q.has_packages)
			packages_journal(c);
		if (c->q.cut_off)
			(void)booking_reach(c->worker->booking, c->id, c->reach_ms);
	} else if (age_ms < c->reach_ms) {
		return;
	} else if (c->q.cut_off) {
		finish(whole, REASON_BALANCE_CUT_OFF, HANGUP_SWITCH, 0);
	} else {
		run_on(c, age_ms);
	}
}

/* The journal learns when the media stopped, so that a crash bills no longer than that, and when it is back (0). */
static void mark_silence(struct call *c, ms_t heard)
{
	if (heard == c->heard_mono)
		return;
	if (booking_heard(c->worker->booking, c->id, heard))
		c->heard_mono = heard;
}

/* What the gateway of that side, as it is now, says of silence. */
static int64_t silence_rule(const struct call *c, enum side side)
{
	const struct source *s = side == SIDE_CALLER ? call_peer(c) : NULL;
	const struct vendor *v = side == SIDE_CALLEE && c->callee ? leg_vendor(c->callee) : NULL;

	return s   ? s->row->media_silence
	       : v ? v->row->media_silence
		   : MAPPING_GATEWAY_MEDIA_SILENCE_BOTH;
}

static bool ends_by(const struct call *c, enum side quiet)
{
	return silence_rule(c, quiet) != MAPPING_GATEWAY_MEDIA_SILENCE_BOTH ||
	       silence_rule(c, opposite(quiet)) == MAPPING_GATEWAY_MEDIA_SILENCE_ANY;
}

/*
 * One side talks, the other is not heard: counted once a call, and ends it if a gateway says so (behaviour.md, Media). Who is sent a fax
 * says nothing for as long as a page takes. False: the call is over.
 */
static bool look_for_one_way(struct call *c, ms_t now_ms, int64_t limit)
{
	struct gate *const gate[] = {
		[SIDE_CALLER] = c->q.gate, [SIDE_CALLEE] = c->callee ? c->callee->gate : NULL
	};
	bool is_fax = c->caller.is_fax || (c->callee && c->callee->is_fax);

	for (int i = 0; i < 2 && !is_fax; i++) {
		enum side quiet = i ? SIDE_CALLEE : SIDE_CALLER;

		if (!gate[quiet] || now_ms - relay_heard_side_ms(c->relay, quiet) < limit ||
		    now_ms - relay_heard_side_ms(c->relay, opposite(quiet)) >= MEDIA_LOOK_MS)
			continue;
		if (!c->is_one_way)
			atomic_fetch_add(&gate[quiet]->one_way, 1);
		c->is_one_way = true;
		if (!ends_by(c, quiet))
			continue;
		finish(c, REASON_MEDIA_TIMEOUT, HANGUP_SWITCH, 0);
		return false;
	}
	return true;
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

	if (!look_for_one_way(c, now_ms, limit))
		return;

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
	if (end_if_too_long(c, age_ms))
		return;
	for (struct call *p = c; p && c->state == CALL_UP; p = p->front) {
		look_at_money(p, c, age_ms);
		if (c->state == CALL_UP && !spending_look(p, age_ms))
			finish(c, REASON_SPEND_LIMIT, HANGUP_SWITCH, 0);
	}
	if (c->state == CALL_UP)
		look_at_media(c, now_ms);
	if (c->state == CALL_UP)
		arm(c);
}

static ms_t next_of_money(const struct call *c, ms_t now)
{
	ms_t at = c->answer_mono + longest(c).s * 1000;

	if (c->is_dry && now + DRY_LOOK_MS < at)
		at = now + DRY_LOOK_MS;
	if (spending_next(c, now) < at)
		at = spending_next(c, now);
	if (has_slices(c) && !c->is_dry && c->reach_ms < DAY_MS) {
		ms_t early = c->answer_mono + c->reach_ms - EXTEND_EARLY_MS;
		ms_t last = c->answer_mono + c->reach_ms;
		/* Past the first look the money may still come (a payment): look again at the very end. */
		ms_t money = early > now ? early : last > now ? last : now + 1;

		at = money < at ? money : at;
	}
	return at;
}

static void arm(struct call *c)
{
	ms_t now = c->worker->loop.now_ms;
	ms_t at = next_of_money(c, now);

	if (c->relay && silence_ms(c) && now + MEDIA_LOOK_MS < at)
		at = now + MEDIA_LOOK_MS;
	for (struct call *f = c->front; f; f = f->front) {
		ms_t own = next_of_money(f, now);

		at = own < at ? own : at;
	}
	c->life_timer.on_expire = on_life_timer;
	timer_start(&c->worker->loop.wheel, &c->life_timer, at);
}

static void start_money(struct call *c)
{
	c->reach_ms = c->q.holds_money    ? packages_reach_ms(&c->q, c->q.price.held)
		      : c->q.has_packages ? HOLD_SLICE_MS
					  : INT64_MAX;
	(void)spending_look(c,
			    0); /* its first increment; who is to be ended is at the first look */
}

void watch_again(struct call *c)
{
	arm(c);
}

void watch_start(struct call *c)
{
	start_money(c);
	for (struct call *f = c->front; f; f = f->front)
		start_money(f);
	arm(c);
}
