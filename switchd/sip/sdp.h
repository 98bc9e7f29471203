/*
 * sdp: what the switch needs of a session description, and a clean one written from it (RFC 8866,
 * 3264).
 *
 * Read by us, strictly, in one pass and one allocation; libosip2's SDP parser is not used: its
 * lists cost the square of the number of attributes, it has a struct sdp_media of its own, and
 * nothing of its tree is needed. Written from parsed values, so that nothing of the other side's
 * o=, s=, i=, u=, e=, keys or addresses gets through.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/str.h"

enum {
	SDP_MEDIA_MAX = 8,
	SDP_PAYLOADS_MAX = 64,
	SDP_LINES_MAX = 1024,
	SDP_BYTES_MAX = 64 * 1024,
};
enum sdp_direction { SDP_SENDRECV, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE };

struct sdp_media {
	struct addr rtp;  /* connection address and port; port 0: refused or not used */
	struct addr rtcp; /* a=rtcp (RFC 3605), else port + 1 */
	bool is_audio;
	bool is_fax;      /* T.38 over UDPTL */
	bool has_address; /* c= was a numeric address; else rtp is 0.0.0.0 with the port */
	enum sdp_direction direction;
	uint16_t ptime_ms; /* 0: none given */
	int payload_count; /* of RTP; 0 for other protocols (T.38) */
	uint8_t payload[SDP_PAYLOADS_MAX];
	struct str codec; /* name of the first payload type that is not telephone-event, "PCMU" */
};

struct sdp;

/*
 * 0; -EBADMSG with *what saying why; -ENOMEM. The text is copied. Multicast and broadcast addresses
 * are refused (security.md M5); whether another address is fit is for the user to say.
 */
int sdp_parse(struct sdp **ret, struct str body, const char **what);
struct sdp *sdp_free(struct sdp *s);
DEFINE_CLEANUP(struct sdp *, sdp_free);

int sdp_media_count(const struct sdp *s);
const struct sdp_media *sdp_media_at(const struct sdp *s, int i);
/* The first audio stream with a port, or NULL. */
const struct sdp_media *sdp_audio(const struct sdp *s);
/* What a relay carries: that, or without it the first fax with a port; or NULL. */
const struct sdp_media *sdp_relayed(const struct sdp *s);
/* Of every stream that is in use. */
void sdp_set_direction(struct sdp *s, enum sdp_direction d);
/* Hold as RFC 3264 (sendonly, inactive) and RFC 2543 (0.0.0.0) say it. */
bool sdp_is_hold(const struct sdp *s);

/* Our own o= line of a leg: session id is random, version grows with each different description. */
struct sdp_origin {
	uint64_t session_id;
	uint32_t version;
};

/*
 * Writes `s` as our own description: our o=, s=-, c= and ports: stream i at rtp[i] (RTCP on the
 * next port; port 0 refuses the stream), or, with rtp NULL, where the other side is (no relay). The
 * same m= lines, protocols and formats; of the attributes rtpmap, fmtp, ptime, maxptime, direction
 * and those of T.38; everything else is left out. 0; -ENOMEM or -ENOSPC of the buffer;
 * -EADDRNOTAVAIL: no relay, and the other side named no numeric address.
 */
int sdp_put(const struct sdp *s, const struct sdp_origin *o, const struct addr *our_host,
	    const struct addr *rtp, struct buf *out);
