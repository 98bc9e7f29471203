/*
 * sink: what a worker's sockets are given by their transport, and give it. For transport/ alone.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/loop.h"
#include "transport/transport.h"

struct sink {
	struct loop *loop;
	struct transport_stats *stats;
	struct tls *tls;     /* NULL: there is none */
	bool close_by_reset; /* SS_TCP_CLOSE_RESET */
	/* A stranger's handshake costs us work: is there somebody of ours at that address? NULL: yes. */
	bool (*may_shake)(void *ctx, const struct flow *from);
	/* False: nobody can take it now (a full ring). A stream keeps it and tries again. */
	bool (*on_message)(void *ctx, const struct flow *from, struct str raw);
	/* is_trusted: other workers may hold flows of this connection too. */
	void (*on_gone)(void *ctx, const struct flow *flow, bool is_trusted, int error);
	void *ctx;
};

/* Counters have one writer, so adding needs no locked instruction. */
static inline void stat_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
			      memory_order_relaxed);
}
