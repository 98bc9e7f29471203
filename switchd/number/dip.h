/*
 * dip: one question by ENUM (naptr.h), asked without waiting: a datagram from a socket of its own, so that the port, too, is one that nobody
 * can guess. Each server is asked twice, in turn, evenly over the time there is; one that cannot answer makes way for the next at once.
 * What does not fit a datagram is asked for again by TCP (RFC 7766); what records lead to is asked for, DIP_CHAIN domains on at most
 * (RFC 6116 §5.2.1 wants an end to loops), all within the same time.
 *
 * Belongs to the thread of its loop.
 */
#pragma once

#include "base/addr.h"
#include "base/loop.h"
#include "number/naptr.h"

struct dip;

enum { DIP_CHAIN = 5 };

/*
 * 1: the routing number; 0: it is not ported, or nothing is known of it; -ENOENT, -EAGAIN: as naptr_read; -EMSGSIZE: the answer was cut
 * short, and none came by TCP; -EFBIG: it is longer than DNS_ANSWER_BYTES; -ELOOP: records lead on and on; -ECONNREFUSED and others of the
 * socket's; -ETIMEDOUT. The dip may be freed in it.
 */
typedef void dip_fn(void *ctx, int result, const char digits[PORTED_DIGITS + 1]);

struct dip_order {
	struct str number, zone;
	const struct addr *server; /* copied, as many as SERVERS */
	int servers;
	int64_t time_ms;
	dip_fn *on_done; /* once, never before dip_create has returned */
	void *ctx;
};

/* 0; -EINVAL: no number for that; another negative errno: it could not be asked. */
int dip_create(struct dip **ret, struct loop *loop, const struct dip_order *o);
/* Ends it without a word; NULL is fine. */
struct dip *dip_free(struct dip *d);
