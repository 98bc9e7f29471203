#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "golive/inner.h"
#include "model/reason.h"

/* How long silence is listened to before it is called that. */
enum { LISTEN_MS = 5000 };

void trial_done(struct trial *t)
{
	json_decref(t->cdr);
	t->cdr = NULL;
}

void number_make(struct golive *g, const char *prefix, char ret[STAGE_NUMBER])
{
	(void)snprintf(ret, STAGE_NUMBER, "%s%06u", prefix, ++g->serial);
}

/* ---- setting up ---- */

bool trial_dial_as(struct golive *g, struct trial *t, const struct dial *d)
{
	int r = party_dial(&g->stage, d, &t->caller);

	(void)snprintf(t->number, sizeof(t->number), "%s", d->callee);
	g->now->calls++;
	if (r < 0)
		fail(g, "a call could not be sent: %s", strerror(-r));
	return r == 0;
}

bool trial_dial(struct golive *g, struct trial *t, enum end end, const char *prefix)
{
	char number[STAGE_NUMBER];
	struct dial d = { .end = end,
			  .caller = "12025550143",
			  .callee = number,
			  .payload = { TALK_PCMA, TALK_PCMU, -1 },
			  .every_ms = 20 };

	number_make(g, prefix, number);
	return trial_dial_as(g, t, &d);
}

static bool is_decided(void *ctx)
{
	const struct party *p = ctx;

	return p->state == PARTY_UP || p->state == PARTY_OVER;
}

/* What the operator has set for everybody holds for the ends of the test, too. */
static void advise_of_rules(struct golive *g, enum reason why)
{
	if (why == REASON_SPEND_LIMIT)
		advise(g,
		       "A spend rule for all accounts holds for those of the test, too: "
		       "`spend list`; `spend-rule set NAME status=locked` until the run is over.");
	else if (why == REASON_TIME_FORBIDDEN || why == REASON_DESTINATION_FORBIDDEN)
		advise(g, "A security profile with applies=all holds for the accounts of the test, "
			  "too: `security-profile list`.");
}

/* What the switch wrote about a call that did not go as it should. */
static void say_why(struct golive *g, struct trial *t)
{
	const struct party *p = t->caller;

	if (p->state != PARTY_OVER) {
		fail(g, "the call to %s got no answer within %d s", t->number,
		     TRIAL_WAIT_MS / 1000);
	} else if (p->code == 0) {
		fail(g, "the switch did not answer the INVITE to %s: %s", t->number,
		     strerror(-p->error));
		advise(g, "Is the switch listening at the address that is tested, and does the "
			  "firewall let the machine talk to itself?");
	} else if (trial_record(g, t)) {
		const char *name = text_in(t->cdr, "reason");
		enum reason why = reason_find(str_of(name));

		fail(g, "the call to %s was refused with %d: %s (%s)", t->number, p->code, name,
		     reason_infos[why].text);
		advise_of_rules(g, why);
	} else {
		fail(g, "the call to %s was refused with %d", t->number, p->code);
	}
}

bool trial_up(struct golive *g, struct trial *t)
{
	bool is_up = await(g, is_decided, t->caller, TRIAL_WAIT_MS) && t->caller->state == PARTY_UP;

	if (!is_up) {
		say_why(g, t);
		return false;
	}
	t->callee = stage_callee(&g->stage, t->number);
	if (!t->callee)
		fail(g, "the call to %s was answered, but not by the vendor it was meant for",
		     t->number);
	return t->callee != NULL;
}

bool trial_refused(struct golive *g, struct trial *t, int code, const char *reason)
{
	if (!await(g, is_decided, t->caller, TRIAL_WAIT_MS) || t->caller->state != PARTY_OVER) {
		fail(g, "the call to %s was not refused; %d %s was expected", t->number, code,
		     reason);
		return false;
	}
	if (!trial_record(g, t))
		return false;
	const char *was = text_in(t->cdr, "reason");
	if (t->caller->code != code || strcmp(was, reason) != 0)
		fail(g, "refused with %d %s; %d %s was expected", t->caller->code, was, code,
		     reason);
	else if (money_in(t->cdr, "fee") != 0)
		fail(g, "a refused call was charged %s", text_in(t->cdr, "fee"));
	else
		note(g, "%d %s", code, reason);
	return !is_failed(g);
}

/* ---- ending ---- */

static bool both_over(void *ctx)
{
	const struct trial *t = ctx;

	return t->caller->state == PARTY_OVER && (!t->callee || t->callee->state == PARTY_OVER);
}

bool trial_hang_up(struct golive *g, struct trial *t, bool by_caller)
{
	struct party *from = by_caller ? t->caller : t->callee;
	struct party *to = by_caller ? t->callee : t->caller;
	int r = party_bye(from);

	if (r < 0 || !await(g, both_over, t, TRIAL_WAIT_MS))
		fail(g, "a hang-up by the %s did not end both sides of the call",
		     by_caller ? "caller" : "callee");
	else if (from->bye_code != 200 || (to && !to->is_bye_theirs))
		fail(g, "the BYE of the %s was answered with %d%s", by_caller ? "caller" : "callee",
		     from->bye_code, to && !to->is_bye_theirs ? " and not passed on" : "");
	return !is_failed(g);
}

struct search {
	struct golive *g;
	struct trial *t;
	int64_t next_ms;
};

static bool is_recorded(void *ctx)
{
	struct search *s = ctx;

	if (clock_mono_ms() < s->next_ms)
		return false;
	s->next_ms = clock_mono_ms() + 50;
	CLEANUP(json_decref)
	json_t *found =
		ask(s->g, "cdr.list", json_pack("{s:s}", "call_id", s->t->caller->dialog.call_id));
	if (json_array_size(found) == 0)
		return s->g->is_lost;
	json_decref(s->t->cdr);
	s->t->cdr = json_incref(json_array_get(found, 0));
	return true;
}

bool trial_record(struct golive *g, struct trial *t)
{
	struct search s = { .g = g, .t = t };

	if (!t->cdr)
		(void)await(g, is_recorded, &s, TRIAL_WAIT_MS);
	if (!t->cdr)
		fail(g, "no record (CDR) of the call to %s was written within %d s", t->number,
		     TRIAL_WAIT_MS / 1000);
	return t->cdr != NULL;
}

/* ---- judging ---- */

struct listening {
	const struct trial *t;
	uint64_t frames;
};

/* Enough was heard, or so much came that what was not heard will not be. */
static bool is_heard(void *ctx)
{
	const struct listening *l = ctx;
	const struct talk *a = &l->t->caller->talk, *b = &l->t->callee->talk;

	if (l->t->caller->state == PARTY_OVER || l->t->callee->state == PARTY_OVER)
		return true;
	return (a->heard >= l->frames || a->received >= 4 * l->frames) &&
	       (b->heard >= l->frames || b->received >= 4 * l->frames);
}

void trial_listen(struct golive *g, struct trial *t, uint64_t frames)
{
	struct listening l = { .t = t, .frames = frames };

	(void)await(g, is_heard, &l, LISTEN_MS);
}

bool trial_heard(struct golive *g, const struct trial *t, uint64_t frames)
{
	const struct talk *a = &t->caller->talk, *b = &t->callee->talk;

	note(g, "caller sent %llu, heard %llu of %llu; callee sent %llu, heard %llu of %llu",
	     (unsigned long long)a->sent, (unsigned long long)a->heard,
	     (unsigned long long)a->received, (unsigned long long)b->sent,
	     (unsigned long long)b->heard, (unsigned long long)b->received);
	if (a->heard >= frames && b->heard >= frames)
		return true;
	if (a->received == 0 && b->received == 0)
		fail(g, "no audio reached either end");
	else if (a->received == 0 || b->received == 0)
		fail(g, "one-way audio: nothing reached the %s",
		     a->received == 0 ? "caller" : "callee");
	else
		fail(g,
		     "the audio is damaged: the %s heard the other's tone in %llu frames of %llu",
		     a->heard < frames ? "caller" : "callee",
		     (unsigned long long)(a->heard < frames ? a->heard : b->heard),
		     (unsigned long long)(a->heard < frames ? a->received : b->received));
	return false;
}

static bool sum_of(struct golive *g, const char *key, const struct price_rules *rules,
		   int64_t hold_ms, struct price_sum *ret)
{
	CLEANUP(json_decref) json_t *rate = ask(g, "rate.show", json_pack("{s:s}", "key", key));
	struct price_list list;

	if (!rate || price_read(&list, rate) < 0 || price_sum(&list, rules, hold_ms, ret) < 0) {
		fail(g, "rate %s cannot be read: %s", key, g->err.message);
		return false;
	}
	return true;
}

bool trial_charged(struct golive *g, struct trial *t, const char *prefix)
{
	struct price_rules vendor = g->rules;
	struct price_sum sell, buy;
	char key[64], want[MONEY_TEXT], tax[MONEY_TEXT], cost[MONEY_TEXT];
	int64_t hold_ms = int_in(t->cdr, "hold_ms");

	vendor.free_s = 0; /* free time is a gift to customers */
	(void)snprintf(key, sizeof(key), "golive-sell/%s", prefix);
	if (!sum_of(g, key, &g->rules, hold_ms, &sell) ||
	    !sum_of(g, "golive-buy/99077", &vendor, hold_ms, &buy))
		return false;
	note(g, "%lld ms, %lld s billed: fee %s tax %s cost %s", (long long)hold_ms,
	     (long long)sell.billed_s, money_text(sell.fee, want), money_text(sell.tax, tax),
	     money_text(buy.fee + buy.tax, cost));
	if (int_in(t->cdr, "billed_s") != sell.billed_s || money_in(t->cdr, "fee") != sell.fee ||
	    money_in(t->cdr, "tax") != sell.tax)
		fail(g, "charged %s + tax %s for %lld s; the rate makes it %s + %s for %lld s",
		     text_in(t->cdr, "fee"), text_in(t->cdr, "tax"),
		     (long long)int_in(t->cdr, "billed_s"), want, tax, (long long)sell.billed_s);
	else if (money_in(t->cdr, "cost") != buy.fee + buy.tax)
		fail(g, "the vendor's cost is %s; its rate makes it %s", text_in(t->cdr, "cost"),
		     cost);
	return !is_failed(g);
}

bool trial_whole(struct golive *g, struct trial *t, const char *prefix, int64_t talk_ms,
		 bool by_caller)
{
	if (!trial_dial(g, t, END_CUSTOMER, prefix) || !trial_up(g, t))
		return false;
	pass(g, talk_ms);
	trial_listen(g, t, 1);
	return trial_hang_up(g, t, by_caller) && trial_record(g, t);
}
