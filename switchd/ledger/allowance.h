/*
 * allowance: what an account has of a package in one period, while the switch runs: seconds and money that are neither used nor
 * held by a call, as atomic words that all threads share.
 *
 * A bundle is a package that an account has ordered, with its periods, the newest first; one is added in front when its fee is
 * booked, and none goes: calls point at them. What is durable (granted, used) stands in ledger.db; at any moment left = granted -
 * used - held, and what a call takes is settled once, in the transaction of its record.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/htab.h"
#include "base/money.h"

struct allowance {
	struct allowance *older;
	int64_t id; /* in ledger.db */
	ms_t begins, ends;
	int64_t step_s; /* in which seconds are used up */
	_Atomic int64_t left_s;
	_Atomic money_t left_money;
};

struct bundle {
	struct hnode node; /* in the ledger's table */
	char *account, *package;
	struct allowance *_Atomic newest;
	/* The main thread's own: the fee it asked for last, and what was free then. */
	ms_t asked_begins;
	money_t asked_free;
	bool was_asked;
};

/* The period in force at that moment (wall); NULL: none is booked. Any thread. */
struct allowance *bundle_at(const struct bundle *b, ms_t wall_ms);
/* Takes what is wanted, in whole steps, or what is left of it. Any thread; what is not used goes back. */
int64_t allowance_take_s(struct allowance *a, int64_t want_s);
money_t allowance_take_money(struct allowance *a, money_t want);
void allowance_give(struct allowance *a, int64_t seconds, money_t money);

/* A fee that is due, with what it brings. Texts are owned. */
struct rent {
	char *account, *package;
	ms_t begins, ends;
	money_t price;
	int64_t time_s, step_s;
	money_t money;
};
void rent_free(struct rent *r);
