/*
 * talk: the media end of one call: a UDP socket that sends a tone in RTP and listens for the other
 * end's.
 *
 * Belongs to the thread of its loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/loop.h"
#include "golive/tone.h"
#include "media/rtp.h"

enum { TALK_PCMU = 0, TALK_PCMA = 8, TALK_G729 = 18 };

struct talk {
	struct loop *loop; /* loan */
	struct event event;
	struct timer timer;
	int fd; /* -1: not open */
	struct addr local, remote;
	struct tone tone;
	int hear_hz; /* what the other end sends */
	int payload; /* payload type in use */
	int every_ms;
	uint16_t sequence;
	uint32_t timestamp, ssrc;
	int64_t next_ms;
	/* What happened. */
	uint64_t sent, received;
	uint64_t heard; /* frames that hold the other end's tone and little else */
	uint64_t
		foreign; /* from elsewhere than where we send, or no RTP, or of another payload type */
	struct rtp_count count;
};

/* Binds a port of the host. 0 or negative errno. */
int talk_open(struct talk *t, struct loop *loop, const struct addr *host);
/*
 * Sends a frame every every_ms to the peer from now on. A codec that we cannot speak is sent as
 * frames of one octet, which stands for the tone.
 */
void talk_start(struct talk *t, const struct addr *peer, int payload, int send_hz, int hear_hz,
		int every_ms);
/* Sends no more; still listens. */
void talk_stop(struct talk *t);
/* Harmless on one that was not opened but is all zero with fd -1. */
void talk_close(struct talk *t);
