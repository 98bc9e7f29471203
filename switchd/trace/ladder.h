/*
 * ladder: the messages of a call as a picture: the caller, the switch, the vendors.
 *
 *	 0.000 |----- INVITE +SDP ---->|                       |
 *	 0.002 |                       |----- INVITE +SDP ---->| 1
 *
 * Text from the messages is made printable; lines are at most LADDER_COLUMNS wide.
 */
#pragma once

#include "trace/store.h"

enum { LADDER_COLUMNS = 70 };

struct ladder_options {
	bool is_full; /* the messages behind the picture, masked */
};

/* c: whose messages they are. */
void ladder_put(struct buf *out, const struct trace_call *c, const struct traced *const *m,
		size_t n, const struct ladder_options *o);
/* "INVITE", or "200 OK" with the method behind it unless that is INVITE. */
void ladder_put_name(struct buf *out, struct str raw);
