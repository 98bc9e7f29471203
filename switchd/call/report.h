/*
 * report: what speaks for or against a source, told to switch-lockoutd (design.md §2).
 *
 * One datagram an event, sent without waiting and without caring whether anybody listens: a full or
 * absent socket loses the event, never a call. Floods cost little: strangers' messages are counted a
 * source and told once a second, everything else is told at most REPORTS_MAX times a second.
 *
 * One struct report belongs to one thread. Time is passed in (monotonic milliseconds).
 */
#pragma once

#include "base/cleanup.h"
#include "base/str.h"
#include "transport/flow.h"

struct loop;
struct report;

enum {
	REPORTS_MAX = 200,   /* a second, beside the counts of strangers */
	STRANGERS_MAX = 256, /* sources counted at a time */
	STRANGER_MIN = 10,   /* messages a second that are worth telling */
	GOOD_EVERY_MS = 60 * 1000,
};

/*
 * path: of the socket, a loan; NULL: everything is for nothing. loop: whose wheel tells the counts; NULL: no
 * strangers will be counted. 0 or negative errno.
 */
int report_create(struct report **ret, const char *path, struct loop *loop);
struct report *report_free(struct report *r);
DEFINE_CLEANUP(struct report *, report_free);

/*
 * A wrong password with a nonce that this source got from us, or on its connection: proof that it is
 * there. detail: what it wanted.
 */
void report_auth_failed(struct report *r, const struct flow *from, struct str user,
			struct str detail, int64_t now_ms);
/* The right one. Told now and then. */
void report_auth_ok(struct report *r, const struct flow *from, struct str user, int64_t now_ms);
/* A stranger's message that was dropped. */
void report_stranger(struct report *r, const struct flow *from, int64_t now_ms);
/* The same, by the name of its program a scanner's. */
void report_scanner(struct report *r, const struct flow *from, struct str agent, int64_t now_ms);
/*
 * A call to, or a registration as, a number of a honeypot list. is_proven: the source answered a nonce of ours; account: who it is,
 * empty for a stranger.
 */
void report_honeypot(struct report *r, const struct flow *from, bool is_proven, struct str account,
		     struct str number, int64_t now_ms);
/* A stranger's connection that had to be closed for what it sent. */
void report_tcp_abuse(struct report *r, const struct flow *from, int64_t now_ms);
/* Gateways or ports are others now. */
void report_config_changed(struct report *r);
