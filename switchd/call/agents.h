/*
 * agents: those above the account that calls (rating/share.h). They may refuse the call; each one's price is found before the call is
 * routed and again at the answer, as the customer's is; what each earns goes into the record, which the ledger books from.
 */
#pragma once

#include "call/inquiry.h"

/* A step of admit. An agent that is locked, or not valid now, refuses: AccountLocked, AccountExpired. */
enum reason agents_open(struct inquiry *q);
/* A step of admit: each one's rate for the number. REASON_NO_RATE: one has rates, and none for this number. */
enum reason agents_rate(struct inquiry *q);
/* At the answer: the agents and rates in force then; those admitted stay where one has no rate any more. */
void agents_fix(struct inquiry *q, const struct payer *payer, ms_t wall_ms);
/* Into the record, without amounts: what a crash would charge by. */
void agents_record(const struct inquiry *q, struct cdr_row *r);
/* The same with what the record's talk comes to, of which the account was charged that much. */
void agents_settle(struct inquiry *q, struct cdr_row *r, money_t charged);
/* They earn nothing by this record. */
void agents_forget(struct cdr_row *r);
/* Of what the account is charged for such a talk: what is left when the agents have their income. */
money_t agents_leave(const struct inquiry *q, money_t charge, int64_t hold_ms);
void agents_done(struct inquiry *q);
