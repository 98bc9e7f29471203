/*
 * judge: when is it enough? Weighs what is known of each source, by one table of rules.
 *
 * Only what came with a proof of the return path counts as a failure: max_retry of them within find_s
 * ban for ban_s, twice as long each further time within a day, at most ban_max_s (struct limits, which
 * operators set). What a forged packet can
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

/* As fail2ban has them: maxretry, findtime, bantime, and what bantime grows to. */
struct limits {
	uint32_t max_retry; /* at most FAILURES_MAX */
	uint32_t find_s, ban_s, ban_max_s;
};

/* security.md A5 */
#define LIMITS_DEFAULT                                                          \
	{                                                                       \
		.max_retry = 10, .find_s = 60, .ban_s = 600, .ban_max_s = 86400 \
	}

enum {
	FAILURES_MAX = 50, /* that are kept of a source */
	KNOCKS = 200,
	KNOCK_WINDOW_S = 10,
	KNOCK_BAN_S = 60,
	CUSTOMER_S = 86400, /* as long as a call may last */
	KNOW_AGAIN_S = 600, /* so often a customer is made known again */
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
/* From the next event on; LIMITS_DEFAULT at the start. */
void judge_set_limits(struct judge *j, const struct limits *l);
DEFINE_CLEANUP(struct judge *, judge_free);

enum judgement {
	JUDGE_NOTHING,
	JUDGE_BAN,
	JUDGE_KNOW,  /* a customer, for CUSTOMER_S from now on; without *ret */
	JUDGE_SPARE, /* it would be, by proven failures, were it not a customer's address */
};

/*
 * With *ret for a sentence. before: its ban or its memory, or NULL. wall_ms is for the evidence
 * alone.
 */
enum judgement judge_event(struct judge *j, const struct event *e, const struct ban *before,
			   ms_t now, ms_t wall_ms, struct sentence *ret);
/* When the source last showed itself as a customer: milliseconds ago, or -1. */
int64_t judge_last_good(const struct judge *j, const struct cidr *net, ms_t now);
/* A source begins anew: what was counted against it is forgotten. */
void judge_acquit(struct judge *j, const struct cidr *net);
