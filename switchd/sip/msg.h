/*
 * msg: a parsed SIP message, read through our own accessors. What the rest of the switch reads
 * stands in plain fields, checked; libosip2 has to read the same out of it (msg_osip.c). Slices
 * point into the message and live as long as it does: one loop turn, unless somebody keeps it.
 *
 * Limits and refusals: security.md P1-P7. A message that got through has one meaning: lines end in
 * CR LF, no control octet is in any header, nothing that may be there once is there twice.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "sip/uri.h"
#include "transport/flow.h"

#define METHODS(X)  \
	X(INVITE)   \
	X(ACK)      \
	X(BYE)      \
	X(CANCEL)   \
	X(OPTIONS)  \
	X(REGISTER) \
	X(PRACK) X(UPDATE) X(INFO) X(REFER) X(SUBSCRIBE) X(NOTIFY) X(MESSAGE) X(PUBLISH) X(OTHER)

enum method {
#define METHOD_ENUM(m) METHOD_##m,
	METHODS(METHOD_ENUM)
#undef METHOD_ENUM
		METHOD_COUNT
};

const char *method_name(enum method m);
/* Methods are case-sensitive. METHOD_OTHER if it is none of ours. */
enum method method_find(struct str name);

enum {
	MSG_HEADERS_MAX = 256,
	MSG_HEAD_BYTES_MAX = 16 * 1024, /* on a stream; a datagram ends by itself */
	MSG_BODY_BYTES_MAX = 64 * 1024,
	MSG_VIAS_MAX = 34,   /* as many as RFC 4475's longreq has, which is valid */
	MSG_ROUTES_MAX = 32, /* Route, and Record-Route */
	MSG_CONTACTS_MAX = 16,
	MSG_PARAMS_MAX = 64, /* of one URI, Via or name-addr */
};

struct head;

struct msg {
	bool is_request;
	enum method method;     /* of a request; of a response: the method of its CSeq */
	struct str method_text; /* as written (METHOD_OTHER) */
	int status;             /* of a response, 100-699 */
	struct str phrase;
	struct uri uri; /* Request-URI: sip, sips or tel */
	struct str uri_text;
	struct str call_id;
	uint32_t cseq;
	struct str from_tag, to_tag; /* empty if there is none */
	struct uri from, to;
	struct str from_uri_text, to_uri_text;
	struct str from_display,
		to_display;  /* without quotes, escapes kept: fit to stand between quotes */
	struct str branch;   /* of the top Via; empty if it has none */
	struct str via_host; /* sent-by of the top Via, "host" or "host:port" */
	bool via_rport;      /* top Via asks for rport (RFC 3581) */
	int max_forwards;    /* -1: none */
	bool has_contact;
	struct uri contact;      /* first Contact; "*" counts as none */
	struct str contact_text; /* its URI as written */
	struct str content_type; /* "application/sdp", parameters cut off, lower case not assured */
	struct str body;
	struct flow flow;

	struct head *head; /* for sip/ alone */
	char *text;        /* the bytes all slices point to; private */
};

/* Why a message was refused: the SIP code to answer with (0: say nothing) and a word for logs. */
struct msg_fault {
	int code;
	const char *what;
};

/* The first fault stays. */
static inline void msg_fault_set(struct msg_fault *f, int code, const char *what)
{
	if (!f->what)
		*f = (struct msg_fault){ code, what };
}

/*
 * 0; -EBADMSG with *fault; -ENOMEM. If fault->code is set, *ret is a message good for
 * msg_put_reply_head and nothing else, to be freed by the caller; else *ret is NULL after a
 * failure.
 */
int msg_parse(struct msg **ret, const struct flow *from, struct str raw, struct msg_fault *fault);
struct msg *msg_free(struct msg *m);
DEFINE_CLEANUP(struct msg *, msg_free);

/*
 * The n-th header field of that name (also in compact form), in order, from 0; false if there are
 * fewer.
 */
bool msg_header(const struct msg *m, const char *name, int n, struct str *ret);
/* Is the option tag, method or token in any header of that name (Require, Supported, Allow ...)? */
bool msg_lists(const struct msg *m, const char *header, struct str token);

/*
 * Route set of a dialog: Record-Route values in the order for the UAS, or reversed for the UAC,
 * joined by ", "; "" if none (RFC 3261 §12.1).
 */
void msg_route_set(const struct msg *m, bool reversed, struct buf *out);
/*
 * The start of every response: status line, Via (with received and rport filled from the flow),
 * From, To (with to_tag added if the request had none and to_tag is not NULL), Call-ID, CSeq,
 * Timestamp of a 100, and Record-Route if asked. phrase NULL: the standard one. Of a message with a
 * fault: those headers that it has.
 */
void msg_put_reply_head(const struct msg *req, int code, const char *phrase, const char *to_tag,
			bool record_route, struct buf *out);
/* The phrase of RFC 3261 and its extensions; for other codes that of the class. */
const char *msg_phrase(int code);
/*
 * A display name or text as a quoted string: `quoted` has its escapes already; broken UTF-8 becomes
 * U+FFFD.
 */
void msg_put_display(struct str quoted, struct buf *out);
/*
 * From (or To) of a message as name-addr without tag and other parameters, for dialogs: "Name"
 * <sip:...>.
 */
void msg_put_party(const struct msg *m, bool from, struct buf *out);
