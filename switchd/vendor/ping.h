/*
 * ping: how long one address of a vendor takes to answer OPTIONS, and how often it does not: a number of questions, one after the other.
 */
#pragma once

#include "base/cleanup.h"
#include "vendor/sender.h"

enum { PING_WAIT_MS = 2000, PING_PAUSE_MS = 100 };

struct ping;

/* A question without an answer within PING_WAIT_MS is lost, even if it was sent again meanwhile. */
struct ping_result {
	int sent, answered;
	int repeated; /* of the answered: only after 500 ms, when the question had gone out again (UDP) */
	int64_t min_us, max_us, sum_us; /* of the answered */
	int code;                       /* the last answer's; 0: none came */
	int error; /* negative errno of the last that could not be sent; 0: none */
};

typedef void ping_fn(void *ctx, struct ping *p);

/* sender is a loan. The first question leaves in this turn; on_over is told when the last is over. 0 or -ENOMEM. */
int ping_create(struct ping **ret, const struct sender *s, struct means by, const struct addr *peer,
		int count, ping_fn *on_over, void *ctx);
struct ping *ping_free(struct ping *p);
DEFINE_CLEANUP(struct ping *, ping_free);
const struct ping_result *ping_result(const struct ping *p);
