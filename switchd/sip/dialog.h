/*
 * dialog: one side's view of a dialog (RFC 3261 §12): tags, CSeq, route set, remote target; and
 * requests written from it.
 *
 * All texts are owned by the dialog. It can be turned into plain text fields for the journal: every
 * member is a number or a C string.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "sip/msg.h"
#include "transport/flow.h"

/* The methods that we understand from everybody, for Allow. */
#define DIALOG_ALLOW "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO"

struct dialog {
	char *call_id;
	char *local; /* name-addr without tag: "<sip:1001@192.0.2.1>" */
	char *remote;
	char *local_tag;
	char *remote_tag; /* NULL until the peer gave one */
	char *target;     /* remote target: the Request-URI of requests inside the dialog */
	char *routes;     /* Route header value, NULL if none */
	uint32_t local_cseq;
	uint32_t remote_cseq;
	/* Where its requests go: the request address of the gateway, by default where it sends from. */
	struct flow flow;
};

/* Frees the texts; harmless on a dialog that is all zero or was done before. */
void dialog_done(struct dialog *d);
/*
 * From a dialog-creating request received (UAS side), with our tag. 0 or -ENOMEM, *d then all zero.
 */
int dialog_from_request(struct dialog *d, const struct msg *req, const char *local_tag);
/*
 * For a request we send (UAC side): Call-ID and tag are minted by the caller. 0 or -ENOMEM, *d then
 * all zero.
 */
int dialog_for_invite(struct dialog *d, const char *call_id, const char *local_tag,
		      struct str local, struct str remote, struct str target,
		      const struct flow *flow);
/*
 * The remote tag, target and route set that a 1xx or 2xx brings; a 2xx may replace an early
 * dialog's. 0 or -ENOMEM, *d then unchanged.
 */
int dialog_update(struct dialog *d, const struct msg *response);
/* Target refresh by a re-INVITE, UPDATE or its 2xx (RFC 3261 §12.2). 0 or -ENOMEM. */
int dialog_refresh_target(struct dialog *d, const struct msg *m);

/* What goes into a request beyond what the dialog says. */
struct draft {
	enum method method;
	uint32_t cseq;            /* 0: the dialog's next one (ACK and CANCEL give the INVITE's) */
	const char *branch;       /* whole branch with its cookie */
	const struct addr *local; /* Via and Contact host and port */
	bool with_contact;
	const char *allow; /* an INVITE's Allow beyond DIALOG_ALLOW: ", REFER"; NULL: nothing */
	int max_forwards;  /* 0: 70 */
	struct str extra;  /* whole header lines, each with CR LF */
	struct str content_type;
	struct str body;
};

/* Writes a whole request. Counts local_cseq up unless draft->cseq is given. */
void dialog_put_request(struct dialog *d, const struct draft *draft, struct buf *out);
/*
 * Our Contact line, also for responses: <sip:host:port>, with the transport if it is not UDP; or
 * <sips:host:port>, which goes by TLS alone.
 */
void dialog_put_contact(const struct addr *local, enum proto proto, bool is_sips, struct buf *out);
