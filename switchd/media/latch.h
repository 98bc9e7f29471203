/*
 * latch: where a side's packets may come from, and where ours go to (behaviour.md "Media", security.md M1, M2). One for RTP and one
 * for RTCP of each side. Belongs to the media thread.
 */
#pragma once

#include "media/relay.h"

struct latch {
	struct relay_peer peer;
	struct cidr nets[8];
	bool is_open;   /* our description was sent: a first packet may be believed */
	bool is_locked; /* `from` is the source we believe */
	bool is_rtcp;
	struct addr from;
	uint32_t ssrc;
	ms_t heard_ms;  /* the last packet from it */
	struct addr to; /* where we send; not set: nowhere */
};

/* A new description; what was learned is kept if the same source is still allowed. */
void latch_set(struct latch *l, const struct relay_peer *p, bool is_rtcp);
void latch_open(struct latch *l);
/* Is a valid packet from this source this side's? Learns the source when the rules allow. */
bool latch_accept(struct latch *l, const struct addr *from, uint32_t ssrc, ms_t now_ms);
