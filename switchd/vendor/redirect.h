/*
 * redirect: where a 3xx answer of a vendor leads, if its gateway lets it lead anywhere (RFC 3261 §8.1.3.4).
 *
 * Only literal addresses: a name would have to be looked up, and the worker waits for nothing. Bounded, and never to a place that
 * the same request has been to.
 */
#pragma once

#include "base/addr.h"
#include "sip/msg.h"

enum { REDIRECT_MAX = 3 };
enum redirect_rule { REDIRECT_OFF, REDIRECT_OWN, REDIRECT_ANY };

struct redirect {
	struct addr been[REDIRECT_MAX + 1]; /* the first is where the request went at first */
	int count;
};

void redirect_begin(struct redirect *r, const struct addr *first);
/*
 * The first Contact that may be followed; user: what its user part must be unless it has none ("": any). own: the gateway's
 * addresses. 0 and *ret noted as visited; -ELOOP if there is none.
 */
int redirect_next(struct redirect *r, const struct msg *m, enum redirect_rule rule,
		  const struct addr *own, int own_count, struct str user, struct addr *ret);
