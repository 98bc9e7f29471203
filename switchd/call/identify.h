/*
 * identify: who sent this INVITE? (design.md §6, behaviour.md "Who is calling")
 */
#pragma once

#include "call/inner.h"

/*
 * The mapping gateway by network, port, local address, transport and longest tech prefix; else by digest. NULL with *ret_why =
 * REASON_UNKNOWN_SOURCE (nothing was answered) or REASON_NONE (a challenge or refusal went out).
 */
const struct source *identify(struct worker *w, struct server_txn *t, const struct msg *m,
			      enum reason *ret_why);
/* Caller and callee as the gateway's settings name the headers. REASON_NUMBER_INVALID. */
enum reason identify_numbers(struct worker *w, const struct source *s, const struct msg *m,
			     struct number *ret_caller, struct number *ret_callee);
