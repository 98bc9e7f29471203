/*
 * latch: where a side's packets may come from, and where ours go to (behaviour.md "Media",
 * security.md M1, M2). One for RTP and one for RTCP of each side.
 *
 * Either the description is believed: packets from its address, whatever port, and ours go where it
 * says. Or the source is learned: the first packet from an allowed address locks it, and ours go
 * back there.
 *
 * Belongs to the media thread. Time is passed in.
 */
#pragma once

#include "media/relay.h"

/* A source that moved to another port is believed after the old one was silent this long. */
enum { LATCH_REBIND_MS = 2000, LATCH_NETS = 8 };

struct latch {
	enum media_source source;
	struct addr described, signalling; /* described: not set if it is to be ignored */
	struct cidr nets[LATCH_NETS];
	int net_count;
	bool learns;
	bool is_open;    /* our description was sent: a first packet may be believed */
	bool is_locked;  /* `from` is the source we believe */
	bool is_old;     /* it was learned under an earlier description */
	bool is_changed; /* the description is newer than what we sent */
	struct addr from;
	uint32_t ssrc;
	ms_t heard_ms;   /* the last packet from it */
	ms_t changed_ms; /* an old lock may be taken over until LATCH_REBIND_MS after this */
	struct addr to;  /* where we send; not set: nowhere */
};

/* A new description; a source that is still allowed is kept until the new one speaks. */
void latch_set(struct latch *l, const struct relay_peer *p, bool is_rtcp, ms_t now_ms);
/* Our description was sent. */
void latch_open(struct latch *l, ms_t now_ms);
/* Is a valid packet from this source this side's? Learns the source when the rules allow. */
bool latch_accept(struct latch *l, const struct addr *from, uint32_t ssrc, ms_t now_ms);
