/*
 * move: a call goes over to another worker, whole, while it is up and nothing of it is under way.
 *
 * For a transfer by the switch both calls have to be on one worker (bridge.h). The one of the REFER asks the other for its call. That takes
 * the call out of all that is its own and gives it away by its pointer, in the mail that messages go by, so whatever comes for the call later
 * arrives behind it. Its tags name the old worker as long as it lasts: what they lead there is handed on (moved). A call moves once.
 */
#pragma once

#include "call/inner.h"

struct referral;

/* Asks for the call that it names. False: it is no other worker's, or there is no room for one more here. True: passing_resume(asker), or passing_wait. */
bool move_ask(const struct leg *asker, const struct referral *r);
/* sip_user.pass_on: ctx is the worker. */
bool move_passes_on(void *ctx, const struct msg *m, struct str raw);
/* transport_note_fn: ctx is the worker. */
void move_note(void *ctx, struct str bytes);
/* The leg goes; if its tag names another worker, nothing is to be handed on any more. */
void move_over(const struct leg *l);
void move_stop(struct worker *w);
