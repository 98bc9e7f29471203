/*
 * judge: when is it enough? Weighs what is known of each source, by one table of rules.
 *
 * Only what came with a proof of the return path counts as a failure: FAILURES of them within WINDOW_S
 * ban for BAN_S, twice as long each further time within a day, at most BAN_MAX_S. What a forged packet can
 * bring about is knocking: KNOCKS within KNOCK_WINDOW_S ban for KNOCK_BAN_S and no longer. A source that
 * has shown itself as a customer within a day is banned for neither: its calls may be up, and switchd
 * suspends the one user there that fails (behaviour.md). Nothing here is kept for ever, and what is kept is
 * bounded; sources with proof against them are never pushed out by mere knocking.
 *
 * An IPv6 source is its /64. Time is passed in (monotonic milliseconds).
 */
#pragma once

#include "bans.h"
#include "event.h"

/* Of the product's parameters none speaks of these, so they are constants (security.md A5, F5). */
enum {
	FAILURES = 10,
	WINDOW_S = 60,
	BAN_S = 600,
	BAN_MAX_S = 86400,
	KNOCKS = 200,
	KNOCK_WINDOW_S = 10,
	KNOCK_BAN_S = 60,
	CUSTOMER_S = 86400, /* as long as a call may last */
	SUSPECTS_MAX = 16384,
	CUSTOMERS_MAX = 65536,
	LEVEL_MAX = 16, /* doublings that are counted */
};

struct judge;

struct sentence {
	enum cause cause;
	int64_t seconds;
	int level;
	char reason[REASON_MAX];
	char evidence[EVIDENCE_MAX];
};

/* 0 or -ENOMEM. */
int judge_create(struct judge **ret);
struct judge *judge_free(struct judge *j);
DEFINE_CLEANUP(struct judge *, judge_free);

enum judgement {
	JUDGE_NOTHING,
	JUDGE_BAN,
	JUDGE_SPARE, /* it would be, by proven failures, were it not a customer's address */
};

/*
 * With *ret unless JUDGE_NOTHING. before: its ban or its memory, or NULL. wall_ms is for the evidence
 * alone.
 */
enum judgement judge_event(struct judge *j, const struct event *e, const struct ban *before,
			   ms_t now, ms_t wall_ms, struct sentence *ret);
/* When the source last showed itself as a customer: milliseconds ago, or -1. */
int64_t judge_last_good(const struct judge *j, const struct cidr *net, ms_t now);
/* A source begins anew: what was counted against it is forgotten. */
void judge_acquit(struct judge *j, const struct cidr *net);
