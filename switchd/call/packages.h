/*
 * packages: what the packages of an account give a call. Seconds, then money, are held slice by slice as the balance is, in the order
 * of application, before any money is; what the call has not used goes back at its end. inquiry.gift says what is held, and what
 * was used once it is settled.
 */
#pragma once

#include "call/inquiry.h"

struct call;

/* Has a package of the payer anything left for this call? */
bool packages_at_hand(const struct inquiry *q, const struct payer *p);
/* Holds what a talk of that length takes, as far as there is any. A dry inquiry only looks. */
void packages_hold(struct inquiry *q, const struct payer *p, int64_t ms);
/* Gives back what a talk of that length does not take. */
void packages_trim(struct inquiry *q, int64_t ms);
/* What such a talk is charged, with what packages hold for it; and the other way round, as charge.h has them. */
money_t packages_charge(const struct inquiry *q, int64_t ms);
int64_t packages_reach_ms(const struct inquiry *q, money_t budget);
/* The journal learns what is held now. */
void packages_journal(struct call *c);
/*
 * The charge of a call that has lasted so long, into its record; what it has not used goes back. 0 or -ERANGE. A call that is not
 * charged gives everything back by packages_release.
 */
int packages_settle(struct inquiry *q, const struct payer *p, int64_t hold_ms, struct cdr_row *r,
		    struct charge *ret);
void packages_release(struct inquiry *q);
/* A record of a call that is not charged. */
void packages_forget(struct cdr_row *r);
/* What is held, into the record that the journal gets. */
void packages_record(const struct inquiry *q, struct cdr_row *r);
