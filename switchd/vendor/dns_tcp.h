/*
 * dns_tcp: one question to a name server over a connection of its own (RFC 7766), asked without waiting: what is left where the answer does
 * not fit a datagram. Two octets of length stand before the question and the answer.
 *
 * Belongs to the thread of its loop. It has no patience of its own: its owner frees it when it has waited long enough.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/loop.h"

struct dns_tcp;

/*
 * error: 0, and the n octets of the answer are a loan until it returns; -EFBIG: it is longer than DNS_ANSWER_BYTES; -EPIPE: the server hung
 * up; another negative errno. It is freed in it, or before dns_tcp_create is called again.
 */
typedef void dns_tcp_fn(void *ctx, int error, const uint8_t *bytes, size_t n);

/* question: n octets, copied. on_done: once, never before this has returned. 0 or negative errno. */
int dns_tcp_create(struct dns_tcp **ret, struct loop *loop, const struct addr *server,
		   const uint8_t *question, size_t n, dns_tcp_fn *on_done, void *ctx);
/* Ends it without a word; NULL is fine. */
struct dns_tcp *dns_tcp_free(struct dns_tcp *t);
