/*
 * bridge: a transfer between two calls that the one who asks has with us (REFER with Replaces: RFC 3515, 3891, 5589 §7).
 *
 *	A ── one ── B ── other ── C     becomes     A ── one ══ other ── C
 *
 * B asks, in its call with A, for A in its place in the call with C. The switch does it by itself: neither A nor C has to know REFER or
 * Replaces, a re-INVITE is all that they see. Both calls go on, each charged to whoever pays for it now; they end together.
 *
 * Both calls have to be on one worker; where they are not, the other one comes over first (move.h). Those whose media cannot be tied
 * together are left to transfer.h.
 */
#pragma once

#include "call/inner.h"

/*
 * A REFER that came on l names a call that another worker has: that one is asked for it. False: it is not so. True: passing_resume says
 * when, whatever came of it, and then it is here or is not to be had.
 */
bool bridge_seek(struct leg *l, const struct msg *m);
/* A REFER that came on l. True: it was answered, and the transfer is under way; false: it is not for us, and nothing has happened. */
bool bridge_refer(struct leg *l, struct server_txn *t, const struct msg *m);
/* Is the call up, with two idle ends and no bridge? */
bool bridge_is_free(struct call *c);
/* A call that has only a caller yet, with its offer, in the place of that leg (replace.h). False for want of memory. */
bool bridge_take_place(struct call *c, struct leg *replaced);
/* The end of the other call, if l talks with that; NULL: with nobody, and is to go. Only if the bridge is up. */
struct leg *bridge_other(const struct leg *l);
/* The call's two parties are A and C. */
bool bridge_is_up(const struct call *c);
/* Which leg of a call with a bridge goes on, as B's does not. */
struct leg *bridge_end(const struct call *c);
/* Is it B that hangs up? Then it leaves, and the calls go on. */
bool bridge_lets_go(const struct leg *l);
/* The call is over: what was to come of its bridge does not, or the other call ends too. */
void bridge_over(struct call *c, enum reason why, enum hangup side);
/* Without a word, for a call that is freed. */
void bridge_drop(struct call *c);
