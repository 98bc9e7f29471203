#include <stdio.h>
#include <string.h>

#include "golive/inner.h"

/* Tests of money: fee, balance and locks to the last digit. */

/*
 * Long enough to be charged whatever the precision: a second and a half has one whole. Free time
 * comes on top, if it is not so long that no test call outlasts it.
 */
enum { BILLED_MS = 1500, FREE_MAX_S = 10 };

static bool is_outlasted(struct golive *g)
{
	if (g->rules.free_s <= FREE_MAX_S)
		return true;
	leave(g, GOLIVE_NOT_RUN, "SERVER_BILLING_FREE_TIME is %lld s: no test call is charged",
	      (long long)g->rules.free_s);
	return false;
}

/* A call of that length, and what it moved: fee and tax leave the balance, nothing else does. */
static void bill(struct golive *g, const char *prefix, int64_t talk_ms)
{
	CLEANUP(trial_done) struct trial t = { 0 };
	char was[MONEY_TEXT], is[MONEY_TEXT], charge[MONEY_TEXT];
	money_t before = balance_of(g, "golive-customer");

	if (is_failed(g) || !is_outlasted(g) ||
	    !trial_whole(g, &t, prefix, talk_ms + g->rules.free_s * 1000, true) ||
	    !trial_charged(g, &t, prefix))
		return;
	money_t after = balance_of(g, "golive-customer");
	money_t moved = money_in(t.cdr, "fee") + money_in(t.cdr, "tax");

	note(g, "balance %s -> %s", money_text(before, was), money_text(after, is));
	if (moved <= 0)
		fail(g, "an answered call of %lld ms cost nothing",
		     (long long)int_in(t.cdr, "hold_ms"));
	else if (before - after != moved)
		fail(g, "the balance went from %s to %s for a charge of %s", was, is,
		     money_text(moved, charge));
}

void check_per_second(struct golive *g)
{
	bill(g, "990770", 3200);
}

void check_increments(struct golive *g)
{
	bill(g, "990771", BILLED_MS);
}

void check_setup_fee(struct golive *g)
{
	bill(g, "990772", BILLED_MS);
}

void check_sections(struct golive *g)
{
	bill(g, "990773", 3600);
}

/* ---- anti-overdraft ---- */

static bool refused(struct golive *g, const char *reason)
{
	CLEANUP(trial_done) struct trial t = { 0 };

	return trial_dial(g, &t, END_POOR, "990776") && trial_refused(g, &t, 403, reason);
}

static bool passes(struct golive *g)
{
	CLEANUP(trial_done) struct trial t = { 0 };

	if (!trial_dial(g, &t, END_POOR, "990776") || !trial_up(g, &t))
		return false;
	pass(g, BILLED_MS + g->rules.free_s * 1000);
	return trial_hang_up(g, &t, true) && trial_record(g, &t);
}

static bool is_locked(struct golive *g, bool should)
{
	CLEANUP(json_decref)
	json_t *a = ask(g, "account.show", json_pack("{s:s}", "id", "golive-poor"));
	bool is = json_is_true(json_object_get(a, "lock_auto"));

	note(g, "balance %s %s", text_in(a, "balance"), is ? "locked" : "open");
	if (!a || is != should)
		fail(g, "with a balance of %s the account is %s", text_in(a, "balance"),
		     is ? "locked" : "not locked");
	return !is_failed(g);
}

static bool paid(struct golive *g, const char *amount)
{
	if (!pay(g, "golive-poor", amount))
		fail(g, "a payment of %s was not booked: %s", amount, g->err.message);
	return !is_failed(g);
}

/* Any call costs 1 whole; with 0.5 none starts, with 1 one does, after which the account locks. */
void check_overdraft(struct golive *g)
{
	(void)(is_outlasted(g) && paid(g, "0.5") && refused(g, "CustomerBalanceNotEnough") &&
	       paid(g, "0.5") && is_locked(g, false) && passes(g) && is_locked(g, true) &&
	       refused(g, "AccountLocked") && paid(g, "1") && is_locked(g, false) && passes(g) &&
	       is_locked(g, true));
}

/* ---- everything together ---- */

static void audit(struct golive *g, const char *operation)
{
	CLEANUP(json_decref) json_t *result = ask(g, operation, json_object());
	const json_t *list = json_object_get(result, "differences");

	if (!result || !json_is_array(list))
		fail(g, "%s could not be done: %s", operation, g->err.message);
	else if (json_array_size(list) > 0)
		fail(g, "%s found %zu differences", operation, json_array_size(list));
	else
		note(g, "%s: no differences", operation);
}

void check_books(struct golive *g)
{
	audit(g, "ledger.verify");
	audit(g, "cdr.verify");
}
