/*
 * hep: traced messages to a capture server, as HEPv3 over UDP: live, masked, and never waited for.
 *
 * Both legs of a call carry one correlation id, the caller's Call-ID. What the socket does not take at once is lost and counted.
 *
 * Belongs to the tracer's thread.
 */
#pragma once

#include "trace/store.h"

struct hep {
	int fd; /* -1: to nobody */
	struct addr to;
	struct buf bytes; /* of the datagrams that wait for the flush */
	size_t count;
	size_t end[64]; /* of each in bytes */
	_Atomic uint64_t sent, dropped;
};

void hep_init(struct hep *h);
/* NULL: to nobody. 0 or the negative errno of the socket; then it is to nobody. */
int hep_open(struct hep *h, const struct addr *to);
void hep_put(struct hep *h, const struct trace_call *c, const struct tap_message *m,
	     struct str raw);
/* Sends what has gathered; at the end of a turn. */
void hep_flush(struct hep *h);
void hep_done(struct hep *h);

/* One packet, as it is on the wire. c: for the correlation id, or NULL. */
void hep_encode(struct buf *out, const struct trace_call *c, const struct tap_message *m,
		struct str raw);
