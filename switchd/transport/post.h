/*
 * post: mail between the transports of the workers.
 */
#pragma once

#include <stdbool.h>

#include "base/loop.h"
#include "transport/flow.h"

enum post_kind {
	POST_MESSAGE, /* came here, belongs to you */
	POST_SEND,    /* for a connection of yours */
	POST_TRUST,   /* a connection of yours */
	POST_GONE,    /* a connection of mine ended, for this negative errno */
	POST_PASSED,  /* a message of a call that has moved to you */
	POST_NOTE     /* from my user to yours */
};

struct post;

/* bytes are a loan for the call; error is that of POST_GONE. */
typedef void post_fn(void *ctx, enum post_kind kind, const struct flow *flow, int error,
		     struct str bytes);

/* to[w] and from[w] are loans, NULL for w itself; the arrays are copied. 0 or negative errno. */
int post_create(struct post **ret, struct loop *loop, struct ring *const *to,
		struct ring *const *from, int workers, post_fn *on_mail, void *ctx);
struct post *post_free(struct post *p);
/* False: the ring is full, or there is none. */
bool post_push(struct post *p, int worker, enum post_kind kind, const struct flow *flow, int error,
	       struct str bytes);
/* Wakes those who got mail. */
void post_flush(struct post *p);
