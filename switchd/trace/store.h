/*
 * store: the messages that were traced, by call, in bounded memory.
 *
 * Messages arrive in the order of time, notes say which Call-IDs are legs of one call. A call that meets the filter is kept,
 * its earlier messages too: until that is known they wait in limbo. Both are queues by age, limbo a quarter of the memory;
 * what does not fit pushes out the oldest. Of calls without messages only so many are remembered, for pairing.
 *
 * Belongs to one thread at a time (the tracer's lock).
 */
#pragma once

#include "base/cleanup.h"
#include "base/htab.h"
#include "trace/filter.h"

struct trace_leg;

struct traced { /* a message */
	struct list by_age;
	struct list of_leg;
	struct trace_leg *leg;
	uint64_t number; /* counts up */
	int64_t wall_us;
	bool is_sent, is_kept;
	uint8_t proto;
	struct addr local, peer;
	size_t n;
	char bytes[];
};

struct trace_leg {
	struct hnode by_call_id;
	struct list of_call;
	struct list messages;
	struct trace_call *call;
	bool is_vendor;
	uint32_t attempt; /* 0: the caller's, or nothing is known */
	char gateway[TRACE_NAME + 1];
	size_t n;
	char call_id[]; /* and a NUL, which is none of n */
};

struct trace_call {
	struct hnode by_id;
	struct list recent; /* of the store, the one that spoke last at the end */
	struct list legs;
	int64_t id; /* 0: no call of ours; it has one leg */
	unsigned met;
	bool is_kept;
	size_t messages; /* kept */
	char caller[TRACE_NAME + 1], callee[TRACE_NAME + 1];
};

struct store {
	struct trace_filter filter;
	bool is_running;
	size_t limit, bytes[2]; /* of limbo and of what is kept */
	struct list queue[2];
	struct htab by_call_id, by_id;
	struct list recent[2]; /* calls in limbo and those that are kept */
	size_t calls;
	uint64_t messages, lost; /* since the start: kept, and pushed out again */
	uint64_t last_number;
};

int store_init(struct store *s, size_t limit);
void store_done(struct store *s);
/* Also pushes out what no longer fits. */
void store_limit(struct store *s, size_t limit);
/* Forgets everything and keeps what meets the filter from now on. */
void store_start(struct store *s, const struct trace_filter *f);
/* The call that it belongs to; NULL for want of memory, or if nothing is to be known of it. */
const struct trace_call *store_message(struct store *s, const struct tap_message *m,
				       struct str raw);
void store_note(struct store *s, const struct tap_note *n, struct str call_id);

/* By the id of a call as 16 hex digits, or a Call-ID of either side. NULL if nothing of it is kept. */
const struct trace_call *store_find(const struct store *s, struct str key);
/*
 * The messages that are kept, of a call or (NULL) of all, in their order: a new array, loans of the store. 0 or -ENOMEM.
 */
int store_collect(const struct store *s, const struct trace_call *c, const struct traced ***ret,
		  size_t *ret_n);
/* The leg of the caller (attempt 0), or the only one. */
const struct trace_leg *call_first_leg(const struct trace_call *c);
