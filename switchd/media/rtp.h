/*
 * rtp: reading RTP and RTCP headers, and what RFC 3550 counts of a stream: loss and jitter; and the
 * estimate of its quality.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct rtp_header {
	uint8_t payload_type;
	uint16_t sequence;
	uint32_t timestamp;
	uint32_t ssrc;
};

/* False if it is no RTP of version 2 whose CSRC, extension and padding lengths fit (M3). */
bool rtp_read(struct str packet, struct rtp_header *ret);
/*
 * False if it is no compound of RTCP packets (RFC 3550 A.2, and RFC 5506: it need not begin with a
 * report): version 2, types 192 to 223, lengths that add up, padding in the last only. *ret_ssrc is
 * the sender's.
 */
bool rtcp_read(struct str packet, uint32_t *ret_ssrc);

/*
 * False if it is no UDPTL datagram of T.38: a sequence number, a first part whose length fits, and something behind it (error
 * correction, or that there is none).
 */
bool udptl_read(struct str packet);

/* One direction's counts, RFC 3550 A.1, A.3, A.8. */
struct rtp_count {
	bool is_started;
	uint32_t ssrc;
	uint32_t base, highest; /* extended sequence numbers */
	uint64_t received;      /* since base */
	uint64_t lost_before;   /* of earlier SSRCs and restarts */
	uint32_t timestamp, transit;
	uint32_t jitter_16; /* timestamp units, scaled by 16 as A.8 does */
};

/* arrival in the units of the codec's clock. */
void rtp_count(struct rtp_count *c, const struct rtp_header *h, uint32_t arrival);
uint64_t rtp_lost(const struct rtp_count *c);
uint32_t rtp_jitter_us(const struct rtp_count *c, uint32_t clock_hz);

/*
 * Listening quality of a narrow-band call by the E-model's loss and delay terms (ITU-T G.107
 * simplified), in hundredths: 100 to 450. 0 if nothing was received.
 */
uint32_t rtp_mos_100(uint64_t received, uint64_t lost, uint32_t jitter_us);
