/*
 * transfer: one side of a call asks the other to call somebody else (REFER: RFC 3515, 5589; attended: 3891).
 *
 * What bridge.h does not do by itself is here. The switch does not call: it passes the request on, with a number and an address of ours
 * instead of whatever it named, and the news of what came of it (NOTIFY) back. The new call is charged to the side that asked, through the same checks as any
 * other of its calls; both sides must have it switched on (call_transfer).
 */
#pragma once

#include "call/inner.h"
#include "call/referral.h"

/* Is REFER let through from this leg, and to it? */
bool transfer_may(const struct leg *l);
/* Whom a REFER on l names, and who pays for that; 0, or the SIP code that refuses it. */
int transfer_read(const struct leg *l, const struct msg *m, struct referral *ret);
/* Is the leg of the same gateway or phone as the one who asked? */
bool transfer_is_of_payer(const struct leg *l, const struct referral *r);
/* Of a REFER that came on l: the header lines for the other leg. 0, or the SIP code that refuses it. */
int transfer_refer(struct leg *l, const struct msg *m, struct buf *extra);
/* It went to the other leg with that CSeq; it was refused there. */
void transfer_sent(struct leg *l, uint32_t came, uint32_t went);
void transfer_refused(struct leg *l, uint32_t came);
/* Of a NOTIFY that came on l about a REFER from the other leg. 0 or the SIP code. */
int transfer_notify(struct leg *l, const struct msg *m, struct buf *extra, struct buf *body);

/* The INVITE that a REFER led to: takes the referral that its Request-URI names. */
bool transfer_take(struct worker *w, const struct msg *m, struct referral *ret);
/* Finds the other end of the call to be replaced, if the referral names one: the call goes there and nowhere else. REASON_DESTINATION_FORBIDDEN: not a call of the payer's. */
enum reason transfer_find(struct call *c, const struct referral *r);
/* The leg's dialog begins where the replaced one is. 0 or -ENOMEM. */
int transfer_turn(struct leg *l);
void taken_done(struct taken *t);
/* Whose call it is; NULL: deleted meanwhile. */
const struct source *transfer_payer(const struct worker *w, const struct referral *r);
