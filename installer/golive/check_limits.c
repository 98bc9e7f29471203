#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "golive/inner.h"
#include "model/param.h"

/* Tests of what must be refused, and of how much can be carried. */

enum {
	BURST = 30,
	LIMIT = 10,
	BURST_TRIES = 3,
	LOAD_MAX = 200,
	LOAD_CPS = 40,
	LOAD_TALK_MS = 15000,
	LOAD_FRAMES = 10
};

/* ---- strangers ---- */

static int64_t strangers_seen(struct golive *g)
{
	CLEANUP(json_decref) json_t *s = ask(g, "status.show", json_object());

	return int_in(s, "unknown_sources");
}

struct sighting {
	struct golive *g;
	const struct party *party;
	int64_t before, next_ms;
};

/* The switch has dropped it, or something came back. */
static bool is_noticed(void *ctx)
{
	struct sighting *s = ctx;

	if (s->party->state != PARTY_TRYING)
		return true;
	if (clock_mono_ms() < s->next_ms)
		return false;
	s->next_ms = clock_mono_ms() + 100;
	return strangers_seen(s->g) > s->before || s->g->is_lost;
}

static bool answers_strangers(struct golive *g)
{
	CLEANUP(json_decref)
	json_t *p = ask(g, "parameter.show", json_pack("{s:s}", "name", "SS_REPLY_UNAUTHORIZED"));

	return strcmp(text_in(p, "value"), "Off") != 0;
}

/* A known caller's call, sent later, is answered: so silence was not for want of time. */
void check_stranger(struct golive *g)
{
	CLEANUP(trial_done) struct trial t = { 0 };
	CLEANUP(trial_done) struct trial known = { 0 };
	struct sighting s = { .g = g, .before = strangers_seen(g) };

	if (!trial_dial(g, &t, END_STRANGER, "990770"))
		return;
	s.party = t.caller;
	if (!await(g, is_noticed, &s, TRIAL_WAIT_MS))
		fail(g, "the switch did not count a call from an unknown address");
	if (is_failed(g) || !trial_dial(g, &known, END_CUSTOMER, "990770") ||
	    !trial_up(g, &known) || !trial_hang_up(g, &known, true))
		return;
	if (stage_callee(&g->stage, t.number))
		fail(g, "a call from an address that is no customer's went through to a vendor");
	else if (t.caller->state == PARTY_TRYING && t.caller->code == 0)
		note(g, "no answer of any kind; counted as unknown source");
	else if (answers_strangers(g) && t.caller->code >= 400)
		note(g, "refused with %d, as SS_REPLY_UNAUTHORIZED says", t.caller->code);
	else
		fail(g, "an unknown source was answered (%d): scanners learn that a switch is here",
		     t.caller->code);
}

/* ---- calls a second ---- */

struct burst {
	struct party *party[BURST];
	int count;
	int64_t began_ms;
};

static bool all_decided(void *ctx)
{
	const struct burst *b = ctx;

	for (int i = 0; i < b->count; i++) {
		if (b->party[i]->state != PARTY_UP && b->party[i]->state != PARTY_OVER)
			return false;
	}
	return true;
}

static bool all_over(void *ctx)
{
	const struct burst *b = ctx;

	for (int i = 0; i < b->count; i++) {
		if (b->party[i]->state != PARTY_OVER)
			return false;
	}
	return true;
}

static bool send_burst(struct golive *g, struct burst *b)
{
	b->count = 0;
	b->began_ms = clock_mono_ms();
	for (int i = 0; i < BURST; i++) {
		struct trial t = { 0 };

		if (!trial_dial(g, &t, END_LIMITED, "990770"))
			return false;
		b->party[b->count++] = t.caller;
	}
	if (!await(g, all_decided, b, 2 * (int64_t)TRIAL_WAIT_MS))
		fail(g, "%d calls at once were not all answered", BURST);
	return !is_failed(g);
}

static int accepted(const struct burst *b)
{
	int n = 0;

	for (int i = 0; i < b->count; i++)
		n += b->party[i]->state == PARTY_UP;
	return n;
}

static bool end_burst(struct golive *g, struct burst *b)
{
	for (int i = 0; i < b->count; i++)
		(void)party_bye(b->party[i]);
	if (!await(g, all_over, b, 2 * (int64_t)TRIAL_WAIT_MS))
		fail(g, "the calls of the burst did not all end");
	return !is_failed(g);
}

/* Of a call that was refused. */
static void look_at_refusal(struct golive *g, struct party *p)
{
	CLEANUP(trial_done) struct trial t = { .caller = p };

	if (!trial_record(g, &t))
		return;
	if (p->code != 503 || strcmp(text_in(t.cdr, "reason"), "RateLimit") != 0)
		fail(g, "a call too many was refused with %d %s; 503 RateLimit was expected",
		     p->code, text_in(t.cdr, "reason"));
}

static bool records_say_why(struct golive *g, const struct burst *b)
{
	for (int i = 0; i < b->count && !is_failed(g); i++) {
		if (b->party[i]->code != 200)
			look_at_refusal(g, b->party[i]);
	}
	return !is_failed(g);
}

/*
 * The limit is of any second. A call was admitted after its INVITE left and before its answer was
 * seen: where even the longest that may lie between a call and the tenth after it is under a second,
 * the limit was broken for certain, however fast or slow the machine is.
 */
static bool is_broken(const struct burst *b)
{
	const struct party *passed[BURST];
	int n = 0;

	for (int i = 0; i < b->count; i++) {
		if (b->party[i]->state == PARTY_UP)
			passed[n++] = b->party[i];
	}
	for (int i = 0; i + LIMIT < n; i++) {
		if (passed[i + LIMIT]->answered_ms - passed[i]->invited_ms < 1000)
			return true;
	}
	return false;
}

void check_rate_limit(struct golive *g)
{
	struct burst b = { 0 };

	for (int i = 0; i < BURST_TRIES && !is_failed(g); i++) {
		if (!send_burst(g, &b))
			return;
		int64_t took = clock_mono_ms() - b.began_ms;
		int n = accepted(&b);

		note(g, "%d calls in %lld ms: %d accepted, %d refused", BURST, (long long)took, n,
		     BURST - n);
		if (n < LIMIT || (took < 1000 && n > LIMIT) || is_broken(&b))
			fail(g, "%d of %d calls passed a limit of %d a second", n, BURST, LIMIT);
		if (!end_burst(g, &b) || !records_say_why(g, &b) || n < BURST)
			return;
		stage_clear(&g->stage);
		pass(g, 1100); /* the next second */
	}
	leave(g, GOLIVE_NOT_RUN, "this machine is too slow to place %d calls in a second", BURST);
}

/* ---- load ---- */

struct load {
	struct party *party[LOAD_MAX];
	struct party *peer[LOAD_MAX];
	int count;
	money_t fees;
};

static bool load_decided(void *ctx)
{
	const struct load *l = ctx;

	for (int i = 0; i < l->count; i++) {
		if (l->party[i]->state != PARTY_UP && l->party[i]->state != PARTY_OVER)
			return false;
	}
	return true;
}

/* Each has heard the other end, or has ended. */
static bool load_heard(void *ctx)
{
	const struct load *l = ctx;

	for (int i = 0; i < l->count; i++) {
		if (l->party[i]->state == PARTY_UP &&
		    (l->party[i]->talk.heard < LOAD_FRAMES ||
		     (l->peer[i] && l->peer[i]->talk.heard < LOAD_FRAMES)))
			return false;
	}
	return true;
}

static bool load_over(void *ctx)
{
	const struct load *l = ctx;

	for (int i = 0; i < l->count; i++) {
		if (l->party[i]->state != PARTY_OVER)
			return false;
	}
	return true;
}

static int load_size(struct golive *g, int64_t licensed)
{
	CLEANUP(json_decref) json_t *status = ask(g, "status.show", json_object());
	CLEANUP(json_decref)
	json_t *most =
		ask(g, "parameter.show", json_pack("{s:s}", "name", "SS_MAX_CONCURRENT_CALL"));
	int64_t n = g->c.lines ? g->c.lines : licensed ? licensed : LOAD_MAX, limit = 0;
	int64_t up = int_in(status, "calls");

	(void)str_to_i64(str_of(text_in(most, "value")), 0, INT32_MAX, &limit);
	if (licensed > 0 && n > licensed)
		n = licensed;
	if (limit > 0 && n > limit)
		n = limit;
	if (n > LOAD_MAX)
		n = LOAD_MAX;
	return (int)(n > up ? n - up : 0);
}

/* Media of all calls at ten packets a second each: enough to see that every one has its path. */
static bool load_up(struct golive *g, struct load *l, int n)
{
	int64_t began = clock_mono_ms();

	g->stage.plan[END_FIRST].every_ms = 100;
	for (l->count = 0; l->count < n;) {
		char number[STAGE_NUMBER];
		struct dial d = { .end = END_CUSTOMER,
				  .caller = "12025550143",
				  .callee = number,
				  .payload = { TALK_PCMA, -1 },
				  .every_ms = 100 };
		struct trial t = { 0 };

		number_make(g, "990770", number);
		if (!trial_dial_as(g, &t, &d))
			return false;
		l->party[l->count++] = t.caller;
		int64_t due = began + l->count * 1000 / LOAD_CPS;
		if (clock_mono_ms() < due)
			pass(g, due - clock_mono_ms());
		if (g->is_stopped)
			return false;
	}
	if (!await(g, load_decided, l, 3 * (int64_t)TRIAL_WAIT_MS))
		return false;
	for (int i = 0; i < l->count; i++)
		l->peer[i] = stage_callee(&g->stage, l->party[i]->callee);
	(void)await(g, load_heard, l, LOAD_TALK_MS);
	return true;
}

static void judge_load(struct golive *g, struct load *l)
{
	int up = 0, mute = 0;

	for (int i = 0; i < l->count; i++) {
		struct party *p = l->party[i];

		up += p->state == PARTY_UP;
		mute += p->state == PARTY_UP &&
			(p->talk.heard == 0 || !l->peer[i] || l->peer[i]->talk.heard == 0);
		if (p->state != PARTY_UP && !is_failed(g)) {
			CLEANUP(trial_done) struct trial t = { .caller = p };

			(void)trial_record(g, &t);
			fail(g, "call %d of %d was refused with %d %s", i + 1, l->count, p->code,
			     text_in(t.cdr, "reason"));
		}
	}
	note(g, "%d calls up at once, %d without audio both ways", up, mute);
	if (mute > 0)
		fail(g, "%d of %d calls had no audio in one direction or both", mute, up);
}

/* At the licence's last line one more is refused, and says so. */
static void one_more(struct golive *g, int64_t licensed)
{
	CLEANUP(json_decref) json_t *status = ask(g, "status.show", json_object());
	CLEANUP(trial_done) struct trial t = { 0 };

	if (licensed == 0 || int_in(status, "calls") < licensed)
		return;
	if (trial_dial(g, &t, END_CUSTOMER, "990770"))
		(void)trial_refused(g, &t, 503, "LicenceLinesExceeded");
}

static void end_load(struct golive *g, struct load *l)
{
	for (int i = 0; i < l->count; i++)
		(void)party_bye(l->party[i]);
	if (!await(g, load_over, l, 3 * (int64_t)TRIAL_WAIT_MS))
		fail(g, "not all calls ended within %d s", 3 * TRIAL_WAIT_MS / 1000);
}

static void charge_load(struct golive *g, struct load *l)
{
	for (int i = 0; i < l->count && !is_failed(g); i++) {
		CLEANUP(trial_done)
		struct trial t = { .caller = l->party[i], .callee = l->peer[i] };
		struct golive_outcome *now = g->now;
		struct golive_outcome scratch = *now;

		(void)snprintf(t.number, sizeof(t.number), "%s", l->party[i]->callee);
		/* 200 lines of evidence are none: what was measured of one call is not kept. */
		g->now = &scratch;
		bool is_good = trial_record(g, &t) && trial_charged(g, &t, "990770");
		g->now = now;
		if (!is_good)
			fail(g, "call %d: %s", i + 1, scratch.reason);
		l->fees += money_in(t.cdr, "fee") + money_in(t.cdr, "tax");
	}
}

void check_load(struct golive *g)
{
	CLEANUP(json_decref) json_t *status = ask(g, "status.show", json_object());
	int64_t licensed = int_in(status, "licence_lines");
	money_t before = balance_of(g, "golive-customer");
	char moved[MONEY_TEXT], fees[MONEY_TEXT];
	struct load l = { 0 };
	int n = load_size(g, licensed);

	if (n == 0) {
		leave(g, GOLIVE_NOT_RUN, "all lines are taken by calls in progress");
		return;
	}
	if (!load_up(g, &l, n))
		fail(g, "%d calls were not all set up or refused in time", n);
	if (!is_failed(g)) {
		judge_load(g, &l);
		one_more(g, licensed);
	}
	end_load(g, &l);
	if (is_failed(g))
		return;
	charge_load(g, &l);
	money_t after = balance_of(g, "golive-customer");
	note(g, "charged %s, balance moved by %s", money_text(l.fees, fees),
	     money_text(before - after, moved));
	if (!is_failed(g) && before - after != l.fees)
		fail(g, "%d calls cost %s, the balance moved by %s", n, fees, moved);
}
