/*
 * filter: which calls a trace is to keep.
 *
 * What is asked for must all be met, by any message or leg of the call: an address, a gateway's name, a number (the
 * caller's or the callee's; "880*" means those that begin so) and a Call-ID. Nothing asked: every call.
 */
#pragma once

#include "base/addr.h"
#include "base/err.h"
#include "trace/tap.h"

/* What of a filter has been met. */
enum { MET_ADDRESS = 1, MET_NUMBER = 2, MET_GATEWAY = 4, MET_CALL_ID = 8 };

struct trace_filter {
	unsigned wanted; /* of MET_* */
	struct cidr net;
	char number[TRACE_NAME + 1], gateway[TRACE_NAME + 1], call_id[256];
};

/* Sets one of its parts: "address", "number", "gateway", "call_id". 0 or -EINVAL with *err. */
int filter_set(struct trace_filter *f, const char *name, struct str text, struct err *err);
/* What a message from or to this peer meets; what a leg's Call-ID does; what a note does. */
unsigned filter_peer(const struct trace_filter *f, const struct addr *peer);
unsigned filter_call_id(const struct trace_filter *f, struct str call_id);
unsigned filter_note(const struct trace_filter *f, const struct tap_note *n);
