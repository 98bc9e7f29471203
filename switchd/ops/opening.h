/*
 * opening: balances that accounts came with, on their way to the ledger.
 *
 * Accounts stand in switch.db, money in ledger.db, and no transaction spans two files. So what is to be booked is written beside the
 * accounts, in their transaction, and goes from there once the ledger has it; whatever stops the switch in between, it is booked at the
 * next start, and once, by its key.
 */
#pragma once

#include "ledger/ledger.h"
#include "store/db.h"

/* Within a transaction of switch.db. run: what makes the key one of this migration. */
int opening_add(struct db *config, struct str account, money_t amount, ms_t run);
/* Any thread whose desk it is: books all that stand there, and takes those out that are booked. 0 or the first error. */
int opening_book(struct db *config, struct booking *desk, const char *actor, int64_t *ret_booked);
/* 1: something is left to be booked. */
int opening_is_left(struct db *config);
