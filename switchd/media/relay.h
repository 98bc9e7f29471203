/*
 * relay: the media of one call: two sides, each with an RTP and an RTCP socket of ours; what one
 * side sends goes to the other.
 *
 * Opened, changed and closed by the worker that owns the call; packets are moved by the media
 * thread that owns the sockets. Orders go there by mail; counters are read directly (one writer,
 * relaxed atomics). Sources are believed as behaviour.md "Media" and security.md M1-M5 say:
 * media_source, latching, no packet from elsewhere ever changes anything.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "transport/outside.h"

struct media; /* the media threads and the ports of the switch */
struct desk;  /* one worker's end of it */

struct media_config {
	const struct addr *host; /* --media addresses, ports ignored */
	int host_count;
	const struct outside *outside; /* a copy is kept; NULL: no NAT before us */
	int threads;                   /* media threads, at least 1 */
	int workers;
};

int media_create(struct media **ret, const struct media_config *c, struct err *err);
/* Stops the threads; every relay must have been closed. */
struct media *media_free(struct media *m);
DEFINE_CLEANUP(struct media *, media_free);
struct desk *media_desk(struct media *m, int worker);
/* The port range for relays opened from now on; any thread. Kept even, low < high. */
void media_set_ports(struct media *m, uint16_t low, uint16_t high);
/* Sends the orders of a loop turn on their way. */
void desk_flush(struct desk *d);

/* In the order of the entity's values. */
enum media_source { MEDIA_SDP, MEDIA_AUTO, MEDIA_NAT, MEDIA_NETS };
enum side { SIDE_CALLER, SIDE_CALLEE, SIDE_COUNT };
static inline enum side opposite(enum side s)
{
	return s == SIDE_CALLER ? SIDE_CALLEE : SIDE_CALLER;
}

struct relay;

/* A set of RTP payload types, 0 to 127: bit t % 64 of word t / 64. */
struct payloads {
	uint64_t word[2];
};

/* Where a side's media is, as its SDP and its gateway say. Values are copied. */
struct relay_peer {
	struct addr rtp, rtcp;  /* of its SDP; rtp not set: nothing is sent until latched */
	struct addr signalling; /* where its SIP comes from */
	enum media_source source;
	const struct cidr *nets; /* for MEDIA_NETS */
	int net_count;
	bool is_public;    /* a private address in its SDP is ignored */
	bool may_send;     /* false: on hold, RTP from it is counted but not passed on */
	bool is_deaf;      /* on hold: no RTP is sent to it */
	uint32_t clock_hz; /* of its codec, for jitter; 0 = 8000 */
	/* Of its SDP. What either side named may come from both; none named by both: any may. */
	struct payloads payloads;
	bool is_fax; /* T.38 over UDPTL instead of RTP: so it is once both sides say so */
};

/*
 * Takes two port pairs (random, even, quarantined 10 s after use) and binds four sockets, for each
 * side on the first media address of its family that has a pair, or on any if there is none of it.
 * -EADDRNOTAVAIL: no free port; -ENOBUFS: too many orders or relays; -ENOMEM, -EMFILE ...
 */
int relay_open(struct relay **ret, struct desk *d, const bool is_v6[SIDE_COUNT]);
/* Our RTP address and port for that side; RTCP is on the next port. */
const struct addr *relay_local(const struct relay *r, enum side s);
/* The same as a peer with that address has to see it: before a NAT, the address outside. */
struct addr relay_shown(const struct relay *r, enum side s, const struct addr *peer);
/*
 * Our description was sent to that side: from now on a first packet from it may be believed
 * (latching opens). 0 or -ENOBUFS.
 */
int relay_listen(struct relay *r, enum side s);
/*
 * What that side's SDP says, at first and after each change; 0.0.0.0 is hold. 0; -EINVAL: an
 * address that M5 forbids; -ENOBUFS.
 */
int relay_set_peer(struct relay *r, enum side s, const struct relay_peer *p);
/*
 * The peer of that side is another relay of ours, on the side of that which looks here; p says the rest. As relay_set_peer, but that M5 does
 * not forbid it: no address from outside is in it.
 */
int relay_join(struct relay *r, enum side s, const struct relay *with, enum side looking,
	       const struct relay_peer *p);
/*
 * Stops both directions at once, closes the sockets, frees; cannot fail, its order has a place of
 * its own in the mail. Accepts NULL, returns NULL. Read the counters before.
 */
struct relay *relay_close(struct relay *r);

/*
 * A relay whose call goes over to another worker: once it is settled (the media thread has done all that it was ordered), by relay_leave at
 * the old one and relay_adopt at the new one, which has reserved the room for it at its desk: false, nothing is, and none may come.
 */
bool relay_is_settled(const struct relay *r);
bool desk_reserve(struct desk *d);
/* The room that a relay has just left, which is there. */
void desk_reserve_again(struct desk *d);
void desk_unreserve(struct desk *d);
void relay_leave(struct relay *r);
void relay_adopt(struct relay *r, struct desk *d);

struct relay_stats {
	uint64_t packets_in; /* valid RTP from this side; fax is not counted */
	uint64_t bytes_in;
	uint64_t packets_out; /* RTP sent to this side */
	uint64_t bytes_out;
	uint64_t lost;    /* missing by sequence number (RFC 3550 A.3) */
	uint64_t refused; /* from a wrong source, not RTP, of an unknown payload type */
	uint32_t jitter_us;
	uint32_t mos_100; /* 0 = nothing measured */
};
void relay_stats(const struct relay *r, enum side s, struct relay_stats *ret);
/* Monotonic ms of the last RTP, RTCP or UDPTL packet from either side; of the opening if there was none. */
ms_t relay_heard_ms(const struct relay *r);
ms_t relay_heard_side_ms(const struct relay *r, enum side s);

struct media_totals {
	uint64_t packets, refused;
	uint32_t relays;
};
void media_totals(const struct media *m, struct media_totals *ret);
