/*
 * party: who a message says is calling, beside From: P-Asserted-Identity, P-Preferred-Identity, Remote-Party-ID, Diversion,
 * History-Info, Privacy; and the same written for another peer, without the hosts of the first one.
 *
 * Nothing is copied but what was understood: a number or name, a display name, listed parameters (security.md P5).
 */
#pragma once

#include <stdbool.h>

#include "sip/lex.h"
#include "sip/msg.h"

struct party {
	struct name_addr addr;
	struct uri uri;
};

/* How many elements of one header are looked at. */
enum { PARTY_MAX = 8 };

/* The n-th element of all headers of that name, from 0, lists split; false if there are fewer, or it cannot be read. */
bool party_read(const struct msg *m, const char *header, int n, struct party *ret);
/*
 * Header lines with every element of that name that has a user, at most `max` of them; how many. The hosts become `host`; of the
 * header's parameters those in the list "a,b" stay.
 */
int party_pass(const struct msg *m, const char *header, const char *params, const char *host,
	       int max, struct buf *out);
/* The first `max` headers of that name as their octets came; one that is not ASCII stays behind. How many. */
int party_pass_raw(const struct msg *m, const char *header, int max, struct buf *out);
/* The caller of From says nothing: "anonymous", or anonymous.invalid (RFC 3323 §4.1.1.3). */
bool party_is_anonymous(const struct uri *from);
/* A number or name as the user of a URI: '#' has to be escaped there. */
void party_put_user(struct str user, struct buf *out);

/* Privacy (RFC 3323, 3325, 7044); what is not known is left out. */
enum {
	PRIVACY_HEADER = 1,
	PRIVACY_SESSION = 2,
	PRIVACY_USER = 4,
	PRIVACY_ID = 8,
	PRIVACY_HISTORY = 16,
	PRIVACY_NONE = 32,
	PRIVACY_CRITICAL = 64,
};
unsigned party_privacy(const struct msg *m);
/* The header line; nothing for 0. */
void party_put_privacy(unsigned set, struct buf *out);
