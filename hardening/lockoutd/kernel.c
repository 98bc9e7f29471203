#include "kernel.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "elements.h"
#include "nft_rule.h"

struct kernel {
	struct mnl_socket *nl;
	uint32_t seq;
};

static const struct {
	uint32_t hook;
	int32_t priority;
	uint32_t policy;
} hooks[CHAIN_COUNT] = {
#define CHAIN_HOOK(id, name, hook, priority, policy) \
	[CHAIN_##id] = { (hook), (priority), (policy) },
	CHAINS(CHAIN_HOOK)
#undef CHAIN_HOOK
};

int kernel_open(struct kernel **ret)
{
	CLEANUP(kernel_close) struct kernel *k = calloc(1, sizeof(*k));

	if (!k)
		return -ENOMEM;
	k->nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!k->nl || mnl_socket_bind(k->nl, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	*ret = TAKE(k);
	return 0;
}

struct kernel *kernel_close(struct kernel *k)
{
	if (!k)
		return NULL;
	if (k->nl)
		(void)mnl_socket_close(k->nl);
	free(k);
	return NULL;
}

static void begin(struct kernel *k, struct batch *b)
{
	batch_begin(b, k->seq);
}

static int commit(struct kernel *k, struct batch *b)
{
	int r = batch_commit(b, k->nl);

	k->seq = b->seq;
	return r;
}

/* ---- tables and chains ---- */

static void put_table(struct batch *b, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h = batch_message(b, type, flags);
	struct nftnl_table *t = h ? nftnl_table_alloc() : NULL;

	if (!t || nftnl_table_set_str(t, NFTNL_TABLE_NAME, TABLE) < 0) {
		b->is_short = true;
	} else {
		nftnl_table_nlmsg_build_payload(h, t);
		batch_put(b, h);
	}
	if (t)
		nftnl_table_free(t);
}

static void put_chain(struct batch *b, enum chain_id id)
{
	struct nlmsghdr *h = batch_message(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	struct nftnl_chain *c = h ? nftnl_chain_alloc() : NULL;

	if (!c || nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, TABLE) < 0 ||
	    nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, chain_name(id)) < 0 ||
	    nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "filter") < 0) {
		b->is_short = true;
	} else {
		nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, hooks[id].hook);
		nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, hooks[id].priority);
		nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, hooks[id].policy);
		nftnl_chain_nlmsg_build_payload(h, c);
		batch_put(b, h);
	}
	if (c)
		nftnl_chain_free(c);
}

/* Every rule of every chain goes. */
static void put_flush(struct batch *b)
{
	struct nlmsghdr *h = batch_message(b, NFT_MSG_DELRULE, 0);
	struct nftnl_rule *r = h ? nftnl_rule_alloc() : NULL;

	if (!r || nftnl_rule_set_str(r, NFTNL_RULE_TABLE, TABLE) < 0) {
		b->is_short = true;
	} else {
		nftnl_rule_nlmsg_build_payload(h, r);
		batch_put(b, h);
	}
	if (r)
		nftnl_rule_free(r);
}

static void put_rule(struct batch *b, const struct rule *rule)
{
	struct nlmsghdr *h = batch_message(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	struct nftnl_rule *r = h ? nft_rule_make(rule) : NULL;

	if (!r) {
		b->is_short = true;
		return;
	}
	nftnl_rule_nlmsg_build_payload(h, r);
	batch_put(b, h);
	nftnl_rule_free(r);
}

static int put_all(struct batch *b, const struct ruleset *s, const struct exempt *e)
{
	int r;

	elements_put_sets(b, s);
	for (int c = 0; c < CHAIN_COUNT; c++)
		put_chain(b, (enum chain_id)c);
	put_flush(b);
	for (int i = 0; i < s->count; i++)
		put_rule(b, &s->rule[i]);
	r = elements_put_exempt(b, e, FAMILY_V4);
	return r < 0 ? r : elements_put_exempt(b, e, FAMILY_V6);
}

/* A table is added so that its removal finds one: whatever was there goes, in the same moment. */
int kernel_start(struct kernel *k, const struct ruleset *s, const struct exempt *e,
		 kernel_next_fn *next, void *ctx)
{
	CLEANUP(batch_done) struct batch b;
	struct cidr net;
	int64_t ms;
	int r;

	begin(k, &b);
	put_table(&b, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	put_table(&b, NFT_MSG_DELTABLE, 0);
	put_table(&b, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	r = put_all(&b, s, e);
	while (r == 0 && next(ctx, &net, &ms))
		elements_put_ban(&b, NFT_MSG_NEWSETELEM, &net, ms);
	return r < 0 ? r : commit(k, &b);
}

int kernel_reload(struct kernel *k, const struct ruleset *s, const struct exempt *e)
{
	CLEANUP(batch_done) struct batch b;
	int r;

	begin(k, &b);
	put_table(&b, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	r = put_all(&b, s, e);
	return r < 0 ? r : commit(k, &b);
}

/* Added, removed and added: so it is there to be removed, and gets the new time whatever it had. */
static int renew(struct kernel *k, elements_put_fn *put, const struct cidr *net, int64_t ms)
{
	CLEANUP(batch_done) struct batch b;

	begin(k, &b);
	put(&b, NFT_MSG_NEWSETELEM, net, ms);
	put(&b, NFT_MSG_DELSETELEM, net, 0);
	put(&b, NFT_MSG_NEWSETELEM, net, ms);
	return commit(k, &b);
}

int kernel_ban(struct kernel *k, const struct cidr *net, int64_t ms)
{
	return renew(k, elements_put_ban, net, ms);
}

int kernel_know(struct kernel *k, const struct cidr *net, int64_t ms)
{
	return renew(k, elements_put_known, net, ms);
}

int kernel_unban(struct kernel *k, const struct cidr *net)
{
	CLEANUP(batch_done) struct batch b;
	int r;

	begin(k, &b);
	elements_put_ban(&b, NFT_MSG_DELSETELEM, net, 0);
	r = commit(k, &b);
	return r == -ENOENT ? 0 : r;
}

/* ---- counts ---- */

struct counting {
	uint64_t *packets;
	int max, count;
};

static int on_rule(const struct nlmsghdr *h, void *ctx)
{
	struct counting *c = ctx;
	struct nftnl_rule *r = nftnl_rule_alloc();

	if (!r)
		return MNL_CB_ERROR;
	if (c->count < c->max && nftnl_rule_nlmsg_parse(h, r) == 0)
		c->packets[c->count++] = nft_rule_packets(r);
	nftnl_rule_free(r);
	return MNL_CB_OK;
}

static int ask(struct kernel *k, const struct nlmsghdr *h, mnl_cb_t on_answer, void *ctx)
{
	enum { ROOM = 65536 };
	CLEANUP(free) char *room = malloc(ROOM);
	unsigned port = mnl_socket_get_portid(k->nl);
	int r = MNL_CB_OK;

	if (!room)
		return -ENOMEM;
	if (mnl_socket_sendto(k->nl, h, h->nlmsg_len) < 0)
		return -errno;
	while (r > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(k->nl, room, ROOM);

		if (n < 0)
			return -errno;
		r = mnl_cb_run(room, (size_t)n, k->seq, port, on_answer, ctx);
	}
	return r < 0 ? -errno : 0;
}

int kernel_counts(struct kernel *k, enum chain_id chain, uint64_t *ret, int max)
{
	char room[MNL_NLMSG_HDRLEN + 512];
	struct counting c = { .packets = ret, .max = max };
	struct nftnl_rule *r = nftnl_rule_alloc();
	struct nlmsghdr *h;
	int error = -ENOMEM;

	if (!r)
		return -ENOMEM;
	h = nftnl_nlmsg_build_hdr(room, NFT_MSG_GETRULE, NFPROTO_INET, NLM_F_DUMP, ++k->seq);
	if (nftnl_rule_set_str(r, NFTNL_RULE_TABLE, TABLE) == 0 &&
	    nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chain_name(chain)) == 0) {
		nftnl_rule_nlmsg_build_payload(h, r);
		error = ask(k, h, on_rule, &c);
	}
	nftnl_rule_free(r);
	return error < 0 ? error : c.count;
}

struct hits {
	kernel_hit_fn *on_hit;
	void *ctx;
	bool is_of_nets;
};

static int on_set(const struct nlmsghdr *h, void *ctx)
{
	const struct hits *t = ctx;
	struct nftnl_set *s = nftnl_set_alloc();

	if (!s)
		return MNL_CB_ERROR;
	if (nftnl_set_elems_nlmsg_parse(h, s) == 0)
		elements_each(s, t->is_of_nets, t->on_hit, t->ctx);
	nftnl_set_free(s);
	return MNL_CB_OK;
}

static int hits_of(struct kernel *k, enum family f, struct hits *t)
{
	char room[MNL_NLMSG_HDRLEN + 512], name[SET_NAME];
	struct nftnl_set *s = nftnl_set_alloc();
	struct nlmsghdr *h;
	int r = -ENOMEM;

	if (!s)
		return -ENOMEM;
	h = nftnl_nlmsg_build_hdr(room, NFT_MSG_GETSETELEM, NFPROTO_INET, NLM_F_DUMP, ++k->seq);
	if (nftnl_set_set_str(s, NFTNL_SET_TABLE, TABLE) == 0 &&
	    nftnl_set_set_str(s, NFTNL_SET_NAME,
			      set_name(t->is_of_nets ? "net" : "ban", f, name)) == 0) {
		nftnl_set_elems_nlmsg_build_payload(h, s);
		r = ask(k, h, on_set, t);
	}
	nftnl_set_free(s);
	return r;
}

int kernel_hits(struct kernel *k, kernel_hit_fn *on_hit, void *ctx)
{
	struct hits t = { .on_hit = on_hit, .ctx = ctx };
	int r = hits_of(k, FAMILY_V4, &t);

	if (r == 0)
		r = hits_of(k, FAMILY_V6, &t);
	t.is_of_nets = true;
	if (r == 0)
		r = hits_of(k, FAMILY_V4, &t);
	return r < 0 ? r : hits_of(k, FAMILY_V6, &t);
}
