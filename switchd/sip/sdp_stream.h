/*
 * sdp_stream: how sdp.c keeps a description for sdp_put.c, and the lines it is made of
 * (sdp_line.c). All slices point into text.
 */
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

enum { SDP_PAYLOAD_MAX = 127 };

/* Says why, and -EBADMSG. */
int sdp_bad(const char **what, const char *why);
/* Every line is "x=value" without control octets; empty ones may stand at the end only. */
int sdp_check_lines(struct str text, const char **what);
/* The next line of *rest; false at the end. Lines were checked. */
bool sdp_line_next(struct str *rest, struct sdp_line *ret);
/* Takes the next word off the front of *s; empty at the end. */
struct str sdp_word(struct str *s);
/* "rtpmap:0 PCMU/8000" → "rtpmap", "0 PCMU/8000"; without a colon the value is empty. */
void sdp_attribute(struct str value, struct str *ret_name, struct str *ret_value);
/* Is it one of the stream's payload types? */
bool sdp_has_payload(const struct sdp_media *m, struct str number);

/* What c= and a= lines say for the streams they cover. */
struct sdp_scope {
	bool has_connection;
	bool has_address;
	struct addr host;
	enum sdp_direction direction;
};

/*
 * "IN IP4 192.0.2.1" into scope. 0 or -EBADMSG. A TTL behind the address belongs to multicast,
 * which is refused anyway; a name in place of an address is taken and left unread.
 */
int sdp_read_address(struct str s, struct sdp_scope *scope);
