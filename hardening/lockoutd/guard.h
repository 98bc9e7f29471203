/*
 * guard: the firewall of this machine as a whole: what is open, who is exempt, who is banned, and the
 * one way in which any of that changes. Whoever wants a ban, operator or evidence, asks here, and here
 * stands the rule that an exempt address never gets one.
 */
#pragma once

#include "bans_file.h"
#include "judge.h"
#include "kernel.h"
#include "tape.h"

struct guard {
	const char *state_dir;
	struct kernel *kernel;
	struct exempt *exempt;
	struct bans *bans;
	struct bans_file *file;
	struct judge *judge;
	struct tape *tape; /* a loan; NULL: no packets are kept */
	struct openings openings;
	struct ruleset rules; /* as the kernel has them */
	bool is_loaded;
	bool is_behind;    /* the kernel does not have what it should: tried again each second */
	unsigned knocking; /* bans for it since that was last told in the log */
	ms_t told;
};

/* Reads what is kept of before; the kernel is not touched yet. 0, or negative with *err. */
int guard_open(struct guard *g, const char *state_dir, struct err *err);
/* The firewall stays in force after this. */
void guard_close(struct guard *g);
/* Loads everything in one step. 0, or -EINVAL with *err. */
int guard_load(struct guard *g, const struct openings *o, struct err *err);
/*
 * Other ports, or other exempt addresses: the rules are made anew in one step, bans stay. A banned
 * address that has become exempt is let go. 0 or negative errno, said in the log: it is tried again.
 */
int guard_reload(struct guard *g, const struct openings *o);
/* Once a second: ends what is due, tends the file, tries again what failed. */
void guard_second(struct guard *g, ms_t now);

struct wish {
	struct cidr net; /* by ban_net() or ban_of() */
	int64_t seconds;
	enum cause cause;
	int level;
	struct str reason, evidence, by;
};

/* 0 with the ban (a loan); -EINVAL with *err: ERR_FORBIDDEN if the address is exempt. */
int guard_ban(struct guard *g, const struct wish *w, struct ban **ret, struct err *err);
/* A customer who has given the right password: his packets come before those of newcomers for so long. */
void guard_know(struct guard *g, const struct cidr *net, int64_t ms);
/* by: who wants it, for the log. 0, or -EINVAL with *err. */
int guard_lift(struct guard *g, struct ban *b, const char *by, struct err *err);
