/* sdp_stream: how sdp.c keeps a description for sdp_put.c. All slices point into text. */
#pragma once

#include "sip/sdp.h"

struct stream {
	struct sdp_media media; /* what the world sees */
	uint16_t port;
	bool is_rtp;
	struct str kind, proto, formats; /* of the m= line: "audio", "RTP/AVP", "0 8 101" */
	struct str lines;                /* all lines behind the m= line */
};

struct sdp {
	int count;
	struct stream stream[SDP_MEDIA_MAX];
	char text[];
};

struct sdp_line {
	char type;
	struct str value;
};

/* The next line of *rest; false at the end. Lines were checked by sdp_parse: "x=value". */
bool sdp_line_next(struct str *rest, struct sdp_line *ret);
/* "rtpmap:0 PCMU/8000" → "rtpmap", "0 PCMU/8000"; without a colon the value is empty. */
void sdp_attribute(struct str value, struct str *ret_name, struct str *ret_value);
/* Is it one of the stream's payload types? */
bool sdp_has_payload(const struct sdp_media *m, struct str number);
