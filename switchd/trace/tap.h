/*
 * tap: where a worker drops a copy of what it hears and says, for the tracer.
 *
 * One a worker, written by its thread alone: a ring to the tracer's thread, which does everything else. Off, it costs the
 * relaxed load of tap_is_on. A full ring loses the copy, counted; the worker never waits.
 *
 * A message says nothing of the call that it belongs to, so notes go the same way: "this Call-ID is the vendor's leg of that call".
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/ring.h"
#include "base/str.h"
#include "transport/flow.h"

enum { TRACE_NAME = 64, TRACE_NUMBERS = 4 };

struct tap {
	struct ring *ring;
	const _Atomic bool *is_on;
	_Atomic uint64_t dropped;
};

enum tap_kind { TAP_MESSAGE, TAP_NOTE };

/* The peer of a message: a gateway's address or a dialog of ours; nobody yet, but heard; not let in at the door. */
enum tap_who { TAP_KNOWN, TAP_STRANGER, TAP_REFUSED };

/* What stands before the bytes of a message in the ring. */
struct tap_message {
	uint32_t kind;
	uint8_t proto;
	bool is_sent; /* by us */
	uint8_t who;  /* enum tap_who */
	int64_t wall_us;
	struct addr local, peer;
};

/* Before a Call-ID: whose leg it is. */
struct tap_note {
	uint32_t kind;
	bool is_vendor;
	uint32_t attempt; /* 1 for the first vendor; 0: the caller */
	int64_t call_id;
	char gateway[TRACE_NAME + 1];
	char number[TRACE_NUMBERS]
		   [TRACE_NAME +
		    1]; /* caller and callee: as received, as billed; of a vendor: as sent */
};

static inline bool tap_is_on(const struct tap *t)
{
	return t && atomic_load_explicit(t->is_on, memory_order_relaxed);
}

void tap_message(struct tap *t, const struct flow *f, const struct addr *local, bool is_sent,
		 enum tap_who who, struct str raw);
void tap_note(struct tap *t, struct tap_note *n, struct str call_id);
/* Wakes the tracer if anything was dropped in since. */
void tap_flush(struct tap *t);
