#include "conntrack.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"

enum { ROOM = 65536, KEY_MAX = 512, LIVE_MAX = 65536 };

struct looking {
	const struct cidr *net;
	struct buf keys; /* what names each connection: attributes, one message's after the other */
	unsigned seen, found;
	uint32_t seq;
};

/* --- is it the address's? --- */

struct ends {
	const struct nlattr *ip[CTA_IP_MAX + 1];
};

static int take_ip(const struct nlattr *a, void *ctx)
{
	struct ends *e = ctx;
	uint16_t type = mnl_attr_get_type(a);

	if (type <= CTA_IP_MAX)
		e->ip[type] = a;
	return MNL_CB_OK;
}

static int take_tuple(const struct nlattr *a, void *ctx)
{
	if (mnl_attr_get_type(a) == CTA_TUPLE_IP)
		return mnl_attr_parse_nested(a, take_ip, ctx);
	return MNL_CB_OK;
}

static bool is_of(const struct nlattr *a, const struct cidr *net)
{
	struct addr end = { 0 };

	if (!a)
		return false;
	if (mnl_attr_get_payload_len(a) == sizeof(end.in.sin_addr)) {
		end.in.sin_family = AF_INET;
		memcpy(&end.in.sin_addr, mnl_attr_get_payload(a), sizeof(end.in.sin_addr));
	} else if (mnl_attr_get_payload_len(a) == sizeof(end.in6.sin6_addr)) {
		end.in6.sin6_family = AF_INET6;
		memcpy(&end.in6.sin6_addr, mnl_attr_get_payload(a), sizeof(end.in6.sin6_addr));
	}
	return cidr_has(net, &end);
}

/* Either end, as the connection was begun. */
static bool is_between(const struct nlattr *tuple, const struct cidr *net)
{
	struct ends e = { 0 };

	if (mnl_attr_parse_nested(tuple, take_tuple, &e) < 0)
		return false;
	return is_of(e.ip[CTA_IP_V4_SRC], net) || is_of(e.ip[CTA_IP_V4_DST], net) ||
	       is_of(e.ip[CTA_IP_V6_SRC], net) || is_of(e.ip[CTA_IP_V6_DST], net);
}

/* --- looking --- */

struct names {
	const struct nlattr *tuple, *id, *zone;
};

static int take_name(const struct nlattr *a, void *ctx)
{
	struct names *n = ctx;

	switch (mnl_attr_get_type(a)) {
	case CTA_TUPLE_ORIG:
		n->tuple = a;
		break;
	case CTA_ID:
		n->id = a;
		break;
	case CTA_ZONE:
		n->zone = a;
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static struct nlmsghdr *put_head(void *room, uint16_t type, uint16_t flags, uint8_t family,
				 uint32_t seq)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(room);
	struct nfgenmsg *g;

	h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = seq;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	return h;
}

static void copy(struct nlmsghdr *h, const struct nlattr *a)
{
	if (a)
		mnl_attr_put(h, a->nla_type, mnl_attr_get_payload_len(a), mnl_attr_get_payload(a));
}

/* The id is part of the name: a new connection of the same addresses is left alone. */
static void keep(struct looking *l, uint8_t family, const struct names *n)
{
	char room[KEY_MAX];
	size_t need = MNL_NLMSG_HDRLEN + sizeof(struct nfgenmsg) + n->tuple->nla_len;
	struct nlmsghdr *h;

	if (need > sizeof(room) / 2)
		return;
	h = put_head(room, IPCTNL_MSG_CT_DELETE, 0, family, ++l->seq);
	copy(h, n->tuple);
	copy(h, n->id);
	copy(h, n->zone);
	buf_put(&l->keys, str_n(room, h->nlmsg_len));
	l->found++;
}

static int on_entry(const struct nlmsghdr *h, void *ctx)
{
	struct looking *l = ctx;
	const struct nfgenmsg *g = mnl_nlmsg_get_payload(h);
	struct names n = { 0 };

	if (++l->seen > CONNTRACK_LOOK_MAX || l->found >= LIVE_MAX)
		return MNL_CB_STOP;
	if (mnl_attr_parse(h, sizeof(*g), take_name, &n) < 0 || !n.tuple)
		return MNL_CB_OK;
	if (is_between(n.tuple, l->net))
		keep(l, g->nfgen_family, &n);
	return MNL_CB_OK;
}

static int look(struct mnl_socket *nl, char *room, struct looking *l)
{
	const struct nlmsghdr *h =
		put_head(room, IPCTNL_MSG_CT_GET, NLM_F_DUMP,
			 addr_is_v6(&l->net->net) ? AF_INET6 : AF_INET, ++l->seq);
	uint32_t seq = l->seq;
	int r = MNL_CB_OK;

	if (mnl_socket_sendto(nl, h, h->nlmsg_len) < 0)
		return -errno;
	while (r > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(nl, room, ROOM);

		if (n < 0)
			return -errno;
		r = mnl_cb_run(room, (size_t)n, seq, mnl_socket_get_portid(nl), on_entry, l);
	}
	return r < 0 ? -errno : buf_error(&l->keys);
}

/* No answer is asked for: what is gone by itself meanwhile is no fault. */
static int drop(struct mnl_socket *nl, const struct buf *keys)
{
	return keys->n == 0 || mnl_socket_sendto(nl, keys->p, keys->n) >= 0 ? 0 : -errno;
}

int conntrack_forget(const struct cidr *net)
{
	CLEANUP(free) char *room = malloc(ROOM);
	struct looking l = { .net = net };
	struct mnl_socket *nl = room ? mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC) : NULL;
	int r = 0;

	if (!nl)
		return room ? -errno : -ENOMEM;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		r = -errno;
	if (r == 0)
		r = look(nl, room, &l);
	if (r == 0)
		r = drop(nl, &l.keys);
	(void)mnl_socket_close(nl);
	buf_done(&l.keys);
	return r < 0 ? r : (int)l.found;
}
