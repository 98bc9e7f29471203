/*
 * event: something that speaks against an address, or for it, as switchd reports it on the security
 * socket (design.md §2): one JSON object a datagram.
 */
#pragma once

#include "base/addr.h"
#include "base/clock.h"

#define EVENTS(X)                           \
	X(AUTH_FAILED, "auth_failed")       \
	X(AUTH_OK, "auth_ok")               \
	X(UNKNOWN_SOURCE, "unknown_source") \
	X(SCANNER, "scanner")               \
	X(HONEYPOT, "honeypot")             \
	X(TCP_ABUSE, "tcp_abuse")           \
	X(CONFIG_CHANGED, "config_changed") \
	X(SSH_FAILED, "ssh_failed") /* from the journal only */

enum event_kind {
#define EVENT_ENUM(id, name) EVENT_##id,
	EVENTS(EVENT_ENUM)
#undef EVENT_ENUM
		EVENT_COUNT
};

/*
 * What shows that the source is really there: nothing (a lone UDP packet, whose source anybody can
 * write), an answer to a nonce that was sent to it, or an established connection.
 */
#define PROOFS(X)         \
	X(NONE, "none")   \
	X(NONCE, "nonce") \
	X(TCP, "tcp")

enum proof {
#define PROOF_ENUM(id, name) PROOF_##id,
	PROOFS(PROOF_ENUM)
#undef PROOF_ENUM
		PROOF_COUNT
};

enum { EVENT_BYTES_MAX = 2048, EVENT_COUNT_MAX = 1000000 };

struct event {
	enum event_kind kind;
	enum proof proof;
	struct addr src; /* not set: config_changed */
	uint32_t count;  /* like ones that this one stands for; 1 at least */
	char proto[8];
	char account[40];
	char detail[64];
};

/* 0, or -EINVAL for what is none: whoever sent it, it is hostile until it is parsed. */
int event_parse(struct str datagram, struct event *ret);
const char *event_name(enum event_kind k);
const char *proof_name(enum proof p);
