/*
 * inquiry: what a call asks for and what was decided about it: who calls, the numbers, the price, what was taken for it. A call
 * has one; `route explain` makes one that is dry: the same code looks at everything and takes nothing.
 */
#pragma once

#include "base/clock.h"
#include "call/hub.h"
#include "call/trail.h"
#include "call/world.h"
#include "model/reason.h"
#include "rating/charge.h"

enum { NUMBER_MAX = 40 };

struct number {
	char digits[NUMBER_MAX + 1];
};

/* -EINVAL if it is longer than a number may be. */
int number_set(struct number *n, struct str digits);

/* What one party pays or is paid by: fixed at the answer. */
struct price {
	struct purse
		*purse; /* NULL: nobody pays (free number, vendor without a clearing account) */
	char *account;
	struct terms terms;
	struct number prefix;
	int64_t version;
	money_t held;  /* reserved in the purse */
	bool is_rated; /* terms are valid */
};

void price_done(struct price *p);
/* Copies the rate in force for the number now. REASON_NO_RATE if there is none or it is locked. */
enum reason price_find(struct price *p, const struct payer *payer, const char *digits,
		       ms_t wall_ms);

struct inquiry {
	struct hub *hub;
	const struct world *world;   /* of this loop turn; NULL outside one */
	const struct source *source; /* the same */
	bool is_dry;
	ms_t mono_ms, wall_ms;              /* when it came */
	struct number caller_in, callee_in; /* as received */
	struct number caller, callee;       /* as billed and routed */
	struct price price;
	money_t floor;    /* what free must not go below: -limit_money - allowance */
	bool is_free;     /* SERVER_BILLING_FREE_E164S */
	bool is_hidden;   /* SERVER_BILLING_NO_CDR_E164S */
	bool holds_money; /* anti_overdraft on, and not free */
	bool cut_off;
	bool has_total, has_line, has_account_line; /* what was taken and must be given back */
	struct gate *gate;
	uint32_t attempts;
	struct trail trail;
};

/* The steps from a known source to a call that may be sent on (design.md §6), each a line of the trail. */
enum reason admit(struct inquiry *q);
/* Gives back lines and counts; money is settled by finish. */
void admit_release(struct inquiry *q);
void inquiry_done(struct inquiry *q);

/* How long a first hold lasts, and how much an extension adds (behaviour.md, Money). */
enum { HOLD_SLICE_MS = 60000 };
/* Extends the hold so that the call may last beyond `reach_ms`; the new reach in *ret_ms. False: no money for a further increment. */
bool admit_extend(struct inquiry *q, int64_t reach_ms, int64_t *ret_ms);

/* A vendor that was chosen for a try. */
struct choice {
	const struct vendor *vendor;
	int address;                  /* index of the address to try */
	struct number caller, callee; /* as sent */
	struct price cost;
	bool has_line;
};

/* What has been tried, so that each gateway comes once, and its further addresses when the first did not answer. */
enum { TRIES_MAX = 16 };
struct tried {
	const struct gate *gate[TRIES_MAX];
	uint8_t addresses[TRIES_MAX]; /* tried so far */
	bool was_local[TRIES_MAX];    /* the last one failed for want of any answer */
	int count;
};

/* The next vendor to try, its line taken. REASON_NONE, or why there is none (NoAvailableRouter, AllGatewayBusy, ...). */
enum reason choose(struct inquiry *q, const struct tried *tried, struct choice *ret);
void choice_done(struct choice *c);
/* For explain: every candidate with its verdict in the trail. */
enum reason choose_all(struct inquiry *q);
