/*
 * purse: one account's money and lines while the switch runs: three atomic words that all threads share.
 *
 * free = balance - holds is what reservations are taken from by compare-and-swap; balance is what is durable and is written by the ledger
 * thread alone, after its commit. At any moment holds = balance - free. A purse lives as long as the switch.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/htab.h"
#include "base/money.h"

struct purse {
	struct hnode node; /* in the ledger's table */
	char *account;
	_Atomic money_t balance; /* durable */
	_Atomic money_t free;    /* balance - holds, charges of ended calls already off */
	_Atomic uint32_t calls;  /* lines in use */
	_Atomic money_t overrun; /* what such calls have cost beyond their holds so far */
	_Atomic uint32_t dry; /* calls running whose hold could not be extended: no other starts */
	_Atomic bool lock_auto; /* balance reached -limit_money */
	_Atomic money_t income; /* of an agent: durable, all that calls have brought it */
};

/*
 * Reserves `want`, or what there is if that is at least `need`, so that free stays at or above floor (= -limit_money - overdraft
 * allowance). False: available is less than need; *ret_available says what there was.
 */
bool purse_reserve(struct purse *p, money_t floor, money_t need, money_t want, money_t *ret_held,
		   money_t *ret_available);
/* A call is over: its hold comes back, its charge goes off. Either may be 0. */
void purse_settle(struct purse *p, money_t held, money_t charged);
/* Takes a line if fewer than limit (0 = no limit) are in use. */
bool purse_line_take(struct purse *p, uint32_t limit);
void purse_line_give(struct purse *p);
