/*
 * lookup: before a call is routed, the customer's LRN server (mapping-gateway portability) is asked where the called number is. The
 * call waits for portability_timeout at most and then goes by the number as dialled, or is refused (portability_failure).
 */
#pragma once

#include "call/inner.h"

struct lookup;

/* True: the call waits, and setup_go_on is called later. False: nobody is to be asked, or the answer was kept. */
bool lookup_begin(struct call *c);
/* The server did not say, and the customer's gateway wants no call then. */
bool lookup_refuses(const struct inquiry *q);
/* Ends it without a word; NULL is fine. */
struct lookup *lookup_free(struct lookup *l);
/* For explain: what a call would do. */
void lookup_explain(struct inquiry *q);
