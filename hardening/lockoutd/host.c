#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct host {
	struct mnl_socket *nl;
	sd_event_source *source;
	host_fn *on_change;
	void *ctx;
};

static void add(struct exempt *e, const struct addr *a, const char *why)
{
	struct cidr c = { .net = *a, .bits = addr_is_v6(a) ? 128 : 32 };

	addr_set_port(&c.net, 0);
	(void)exempt_add(e, &c, str_of(why));
}

/* ---- addresses ---- */

static void add_own(struct exempt *e)
{
	struct ifaddrs *all = NULL;
	struct addr a;

	if (getifaddrs(&all) < 0)
		return;
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		socklen_t n = sizeof(struct sockaddr_in6);

		if (i->ifa_addr && addr_from_sa(i->ifa_addr, n, &a) == 0)
			add(e, &a, "address of this machine");
	}
	freeifaddrs(all);
}

/* ---- routers ---- */

static int on_attr(const struct nlattr *attr, void *ctx)
{
	const struct nlattr **table = ctx;

	if (mnl_attr_type_valid(attr, RTA_MAX) > 0)
		table[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static int on_route(const struct nlmsghdr *h, void *ctx)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *attr[RTA_MAX + 1] = { NULL }, *via;
	struct addr a;

	if (m->rtm_dst_len != 0 || mnl_attr_parse(h, sizeof(*m), on_attr, attr) < 0)
		return MNL_CB_OK;
	via = attr[RTA_GATEWAY];
	if (via &&
	    addr_from_bytes(mnl_attr_get_payload(via), mnl_attr_get_payload_len(via), &a) == 0)
		add(ctx, &a, "default router");
	return MNL_CB_OK;
}

static void read_routes(struct mnl_socket *nl, struct exempt *e)
{
	enum { ROOM = 32768 };
	CLEANUP(free) char *room = malloc(ROOM);
	unsigned port = mnl_socket_get_portid(nl);
	struct nlmsghdr *h;
	struct rtmsg *m;
	int r = MNL_CB_OK;

	if (!room)
		return;
	h = mnl_nlmsg_put_header(room);
	h->nlmsg_type = RTM_GETROUTE;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = 1;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->rtm_family = AF_UNSPEC;
	if (mnl_socket_sendto(nl, h, h->nlmsg_len) < 0)
		return;
	while (r > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(nl, room, ROOM);

		r = n < 0 ? MNL_CB_ERROR : mnl_cb_run(room, (size_t)n, 1, port, on_route, e);
	}
}

static void add_routers(struct exempt *e)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (!nl)
		return;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) == 0)
		read_routes(nl, e);
	(void)mnl_socket_close(nl);
}

/* ---- name servers ---- */

void host_take_resolvers(struct exempt *e, struct str text)
{
	struct str line, word;
	struct addr a;

	while (str_line(&text, &line)) {
		line = str_trim(line);
		if (!str_has_prefix(line, STR("nameserver")))
			continue;
		word = str_trim(str_skip(line, STR("nameserver").n));
		if (addr_parse(word, 0, &a) == 0)
			add(e, &a, "name server");
	}
}

static void add_resolvers(struct exempt *e, const char *path)
{
	char room[4096];
	CLEANUP(close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, room, sizeof(room));

	if (n > 0)
		host_take_resolvers(e, str_n(room, (size_t)n));
}

bool host_read(struct exempt *e, const char *resolv_conf)
{
	exempt_begin(e, ORIGIN_MACHINE);
	add_own(e);
	add_routers(e);
	add_resolvers(e, resolv_conf);
	return exempt_end(e);
}

/* ---- changes ---- */

static int on_ready(sd_event_source *s, int fd, uint32_t events, void *ctx)
{
	struct host *h = ctx;
	char room[8192];

	(void)s;
	(void)events;
	while (recv(fd, room, sizeof(room), MSG_DONTWAIT) > 0)
		continue; /* that something changed is all we want to know */
	h->on_change(h->ctx);
	return 0;
}

int host_open(struct host **ret, sd_event *ev, host_fn *on_change, void *ctx)
{
	unsigned groups =
		RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
	CLEANUP(host_close) struct host *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		return -ENOMEM;
	h->on_change = on_change;
	h->ctx = ctx;
	h->nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!h->nl || mnl_socket_bind(h->nl, groups, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	r = sd_event_add_io(ev, &h->source, mnl_socket_get_fd(h->nl), EPOLLIN, on_ready, h);
	if (r < 0)
		return r;
	*ret = TAKE(h);
	return 0;
}

struct host *host_close(struct host *h)
{
	if (!h)
		return NULL;
	sd_event_source_disable_unref(h->source);
	if (h->nl)
		(void)mnl_socket_close(h->nl);
	free(h);
	return NULL;
}
