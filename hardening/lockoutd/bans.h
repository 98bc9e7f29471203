/*
 * bans: who is banned, until when and why, and who was banned lately, so that the next time lasts
 * longer.
 *
 * A ban that ends becomes a memory of REMEMBER_MS. Both are bounded: when one more comes, the oldest
 * goes. Time is passed in; nothing here knows of the kernel.
 */
#pragma once

#include "base/clock.h"
#include "base/htab.h"
#include "base/wheel.h"
#include "exempt.h"

enum {
	REASON_MAX = 128,
	EVIDENCE_MAX = 320,
	BAN_SECONDS_MAX = 30 * 86400, /* what an operator may ask for */
	REMEMBER_MS = 86400 * 1000,
};

#define CAUSES(X)               \
	X(OPERATOR, "operator") \
	X(FAILURES, "failures") \
	X(KNOCKING, "knocking")

enum cause {
#define CAUSE_ENUM(id, name) CAUSE_##id,
	CAUSES(CAUSE_ENUM)
#undef CAUSE_ENUM
		CAUSE_COUNT
};

/* What a ban is made of; the rest is kept by this module. */
struct terms {
	struct cidr net; /* by ban_net() or ban_of() */
	int64_t ms;      /* how long from now */
	int64_t seconds; /* how long in all */
	enum cause cause;
	int level;  /* of bans that double: how many came before, lately */
	ms_t since; /* wall clock */
	char reason[REASON_MAX];
	char evidence[EVIDENCE_MAX];
	char by[64]; /* the operator, or "lockoutd" */
};

struct ban {
	struct terms terms;
	ms_t until;       /* monotonic; of a memory: when it fades */
	bool is_active;   /* else a memory */
	uint64_t packets; /* dropped, as last read from the kernel */
	struct hnode node;
	struct list age;
	struct timer timer;
	struct bans *home;
};

struct bans;

/* A ban ended by time, or made room for a newer one. The ban is a memory already. */
typedef void bans_fn(void *ctx, struct ban *b, bool made_room);

/* 0 or -ENOMEM. max: of bans, and of memories. */
int bans_create(struct bans **ret, size_t max, ms_t now, bans_fn *on_end, void *ctx);
struct bans *bans_free(struct bans *b);
DEFINE_CLEANUP(struct bans *, bans_free);

/* The ban or the memory of this network, or NULL. */
struct ban *bans_find(const struct bans *b, const struct cidr *net);
/* The ban in force of a wider network that it is in, or NULL. */
const struct ban *bans_covering(const struct bans *b, const struct cidr *net);
/* Makes it, or renews the one there is. 0 or -ENOMEM. */
int bans_put(struct bans *b, const struct terms *t, ms_t now, struct ban **ret);
/* Ends it now. With is_forgotten nothing is remembered of it, and it is freed. */
void bans_end(struct ban *b, ms_t now, bool is_forgotten);
/* A memory read back: it fades at until. 0 or -ENOMEM. */
int bans_remember(struct bans *b, const struct terms *t, ms_t until);
/* Ends what is due. */
void bans_advance(struct bans *b, ms_t now);
size_t bans_count(const struct bans *b);
size_t bans_memories(const struct bans *b);
/* Oldest first; NULL starts, NULL ends. Who ends the current one takes the next first. */
struct ban *bans_next(struct bans *b, bool is_active, const struct ban *after);
/* Those that are in force, newest first. */
const struct ban *bans_prev(const struct bans *b, const struct ban *before);

const char *cause_name(enum cause c);
/* CAUSE_COUNT if there is none of that name. */
enum cause cause_find(struct str name);
/* "192.0.2.7", "2001:db8:1:2::/64" */
const char *ban_text(const struct cidr *net, char out[ADDR_TEXT]);
