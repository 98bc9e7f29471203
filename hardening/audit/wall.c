#include "wall.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>

enum { BUFFER = 32768, SEQ = 1 };

struct asking {
	struct str table;
	wall_fn *fn;
	void *ctx;
};

static int on_chain(const struct nlmsghdr *h, void *ctx)
{
	const struct asking *a = ctx;
	struct nftnl_chain *c = nftnl_chain_alloc();

	if (!c)
		return MNL_CB_ERROR;
	if (nftnl_chain_nlmsg_parse(h, c) == 0 && nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM) &&
	    str_eq(str_of(nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE)), a->table))
		a->fn(a->ctx, str_of(nftnl_chain_get_str(c, NFTNL_CHAIN_NAME)),
		      nftnl_chain_get_u32(c, NFTNL_CHAIN_POLICY) == NF_DROP);
	nftnl_chain_free(c);
	return MNL_CB_OK;
}

static int hear(struct mnl_socket *nl, struct asking *a)
{
	char buffer[BUFFER];
	int r = MNL_CB_OK;

	while (r == MNL_CB_OK) {
		ssize_t n = mnl_socket_recvfrom(nl, buffer, sizeof(buffer));

		if (n < 0)
			return -errno;
		r = mnl_cb_run(buffer, (size_t)n, SEQ, mnl_socket_get_portid(nl), on_chain, a);
	}
	return r < 0 ? -errno : 0;
}

int wall_each(struct str table, wall_fn *fn, void *ctx)
{
	struct asking a = { .table = table, .fn = fn, .ctx = ctx };
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	char buffer[BUFFER];
	const struct nlmsghdr *h;
	int r = 0;

	if (!nl)
		return -errno;
	h = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETCHAIN, NFPROTO_INET, NLM_F_DUMP, SEQ);
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(nl, h, h->nlmsg_len) < 0)
		r = -errno;
	if (r == 0)
		r = hear(nl, &a);
	(void)mnl_socket_close(nl);
	return r;
}
