/*
 * kernel: the packet filter of this machine: one table `inet tandem`, changed by transactions.
 *
 * The table is made in one batch: at no moment is a packet judged by half of it. A reload replaces the
 * rules and leaves the sets, so no ban is lost; a start replaces everything, bans and all, and
 * customers are unknown again until their next right password.
 */
#pragma once

#include "exempt.h"
#include "ruleset.h"

/* Bans at a time; the kernel has room for twice as many, since it sweeps out expired ones late. */
enum { BANS_MAX = 65536 };

struct kernel;

/* 0 or negative errno: -EPERM without CAP_NET_ADMIN. */
int kernel_open(struct kernel **ret);
struct kernel *kernel_close(struct kernel *k);
DEFINE_CLEANUP(struct kernel *, kernel_close);

/* Of an initial load: the bans, one after the other; false at the end. */
typedef bool kernel_next_fn(void *ctx, struct cidr *ret_net, int64_t *ret_ms);

/* Everything anew; bans come from next. 0 or negative errno: then nothing has changed. */
int kernel_start(struct kernel *k, const struct ruleset *s, const struct exempt *e,
		 kernel_next_fn *next, void *ctx);
/* Rules and exempt addresses; bans stay. */
int kernel_reload(struct kernel *k, const struct ruleset *s, const struct exempt *e);
/* For ms from now on, also if it is banned already. */
int kernel_ban(struct kernel *k, const struct cidr *net, int64_t ms);
/* 0 also if it was not there. */
int kernel_unban(struct kernel *k, const struct cidr *net);

/* A customer, for ms from now on: his packets come before those of newcomers. 0 or negative errno. */
int kernel_know(struct kernel *k, const struct cidr *net, int64_t ms);

/* Packets that each rule of the chain has matched, in their order; how many rules there are. */
int kernel_counts(struct kernel *k, enum chain_id chain, uint64_t *ret, int max);
/* Each ban that the kernel holds, with the packets it has dropped and the time left. */
typedef void kernel_hit_fn(void *ctx, const struct addr *first, bool is_of_net, uint64_t packets,
			   uint64_t left_ms);
int kernel_hits(struct kernel *k, kernel_hit_fn *on_hit, void *ctx);
