/*
 * rank: the gateways that have a prefix of the number, in the order in which a customer's calls try them: its policy over what the
 * router found (behaviour.md "Choosing and trying vendors").
 *
 * Protected gateways come after all others, whatever the policy. With cost or quality, and whatever stands equal then, priority and
 * name decide; with priority, weight and free_lines the length of the prefix and priority come first.
 */
#pragma once

#include "call/prices.h"
#include "vendor/score.h"

/* hold_key of the route prefix that led to it. */
uint64_t standing_prefix(const struct inquiry *q, const struct standing *s);
/* A call that is not dry takes its turn at the first look, where calls are shared. *ret is valid until the next of this thread. */
void rank(struct inquiry *q, struct ranking *ret);
/* Does the order hang on what is set alone, and not on turns, lines or how calls went of late? */
bool rank_is_fixed(const struct inquiry *q);
/* The window of quality; false: SS_GATEWAY_ASR_CALCULATE is off. */
bool rank_window(const struct params *p, struct score_window *ret);

/*
 * May the call go by a vendor of this cost? REASON_NONE; REASON_MARGIN_TOO_LOW with the figures in the trail: the vendor's price_cap,
 * the customer's min_profit and min_profit_percent. A vendor without a clearing account costs nothing; free numbers earn nothing.
 */
enum reason margin_allows(struct inquiry *q, const struct vendor *v, const struct price *cost);
