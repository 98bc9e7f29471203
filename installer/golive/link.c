#include "golive/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"

enum { ROOM = 1024 };

/* One request as it grows. Everything here is short: what would not fit is a mistake of ours. */
struct ask {
	union {
		struct nlmsghdr head;
		char bytes[ROOM];
	};
};

static void *put(struct ask *a, const void *p, size_t n)
{
	char *to = a->bytes + NLMSG_ALIGN(a->head.nlmsg_len);

	memcpy(to, p, n);
	a->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(a->head.nlmsg_len) + n);
	return to;
}

static void begin(struct ask *a, uint16_t type, uint16_t flags, const void *body, size_t n)
{
	memset(a, 0, sizeof(*a));
	a->head.nlmsg_len = NLMSG_HDRLEN;
	a->head.nlmsg_type = type;
	a->head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	(void)put(a, body, n);
}

static void put_attribute(struct ask *a, uint16_t type, const void *p, size_t n)
{
	struct rtattr h = { .rta_len = (uint16_t)RTA_LENGTH(n), .rta_type = type };

	(void)put(a, &h, sizeof(h));
	if (n > 0)
		(void)put(a, p, n);
}

static size_t open_nest(struct ask *a, uint16_t type)
{
	size_t at = NLMSG_ALIGN(a->head.nlmsg_len);

	put_attribute(a, type, NULL, 0);
	return at;
}

static void close_nest(struct ask *a, size_t at)
{
	uint16_t n = (uint16_t)(NLMSG_ALIGN(a->head.nlmsg_len) - at);

	memcpy(a->bytes + at, &n, sizeof(n));
}

/* Sends it and reads what the kernel says: 0 or a negative errno. */
static int run(struct ask *a)
{
	CLEANUP(close) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct ask answer = { 0 };
	struct nlmsgerr *e = NLMSG_DATA(&answer.head);

	if (fd < 0 || send(fd, a->bytes, a->head.nlmsg_len, 0) < 0)
		return -errno;
	ssize_t n = recv(fd, answer.bytes, sizeof(answer.bytes), 0);
	if (n < 0)
		return -errno;
	if ((size_t)n < NLMSG_LENGTH(sizeof(*e)) || answer.head.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return e->error;
}

int link_make_pair(const char *here, const char *there, pid_t process)
{
	/* A hardware address of our choice: one of the kernel's udev soon puts another in place of, and
	 * who has asked for it sends to nobody from then on. */
	static const unsigned char hardware[6] = { 0x02, 0x67, 0x6f, 0x6c, 0x76, 0x01 };
	struct ifinfomsg any = { .ifi_family = AF_UNSPEC };
	uint32_t pid = (uint32_t)process;
	struct ask a;

	begin(&a, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &any, sizeof(any));
	put_attribute(&a, IFLA_IFNAME, here, strlen(here) + 1);
	put_attribute(&a, IFLA_ADDRESS, hardware, sizeof(hardware));
	size_t info = open_nest(&a, IFLA_LINKINFO);
	put_attribute(&a, IFLA_INFO_KIND, "veth", 4);
	size_t data = open_nest(&a, IFLA_INFO_DATA);
	size_t peer = open_nest(&a, VETH_INFO_PEER);
	(void)put(&a, &any, sizeof(any));
	put_attribute(&a, IFLA_IFNAME, there, strlen(there) + 1);
	put_attribute(&a, IFLA_NET_NS_PID, &pid, sizeof(pid));
	close_nest(&a, peer);
	close_nest(&a, data);
	close_nest(&a, info);
	return run(&a);
}

/* type: RTM_NEWADDR or RTM_DELADDR. */
static int change_address(uint16_t type, uint16_t flags, const char *name, uint32_t address,
			  int prefix_len)
{
	struct ifaddrmsg at = { .ifa_family = AF_INET,
				.ifa_prefixlen = (uint8_t)prefix_len,
				.ifa_index = if_nametoindex(name) };
	uint32_t net = htonl(address);
	struct ask a;

	if (at.ifa_index == 0)
		return -ENODEV;
	begin(&a, type, flags, &at, sizeof(at));
	put_attribute(&a, IFA_LOCAL, &net, sizeof(net));
	put_attribute(&a, IFA_ADDRESS, &net, sizeof(net));
	return run(&a);
}

int link_add_address(const char *name, uint32_t address)
{
	return change_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, name, address, 32);
}

int link_del_address(const char *name, uint32_t address)
{
	int r = change_address(RTM_DELADDR, 0, name, address, 32);

	return r == -EADDRNOTAVAIL ? 0 : r;
}

int link_set_up(const char *name, uint32_t address, int prefix_len)
{
	struct ifinfomsg up = { .ifi_family = AF_UNSPEC,
				.ifi_index = (int)if_nametoindex(name),
				.ifi_flags = IFF_UP,
				.ifi_change = IFF_UP };
	struct ask a;
	int r = change_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, name, address,
			       prefix_len);

	if (r < 0)
		return r;
	begin(&a, RTM_NEWLINK, 0, &up, sizeof(up));
	return run(&a);
}

int link_add_default_route(uint32_t gateway)
{
	struct rtmsg route = { .rtm_family = AF_INET,
			       .rtm_table = RT_TABLE_MAIN,
			       .rtm_protocol = RTPROT_STATIC,
			       .rtm_scope = RT_SCOPE_UNIVERSE,
			       .rtm_type = RTN_UNICAST };
	uint32_t via = htonl(gateway);
	struct ask a;

	begin(&a, RTM_NEWROUTE, NLM_F_CREATE, &route, sizeof(route));
	put_attribute(&a, RTA_GATEWAY, &via, sizeof(via));
	return run(&a);
}

static bool is_running(int fd, const char *name)
{
	struct ifreq r = { 0 };

	return str_copy(r.ifr_name, sizeof(r.ifr_name), str_of(name)) == 0 &&
	       ioctl(fd, SIOCGIFFLAGS, &r) == 0 && (r.ifr_flags & IFF_RUNNING);
}

int link_wait(const char *name, int64_t ms)
{
	CLEANUP(close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int64_t end = clock_mono_ms() + ms;

	while (fd >= 0 && !is_running(fd, name)) {
		if (clock_mono_ms() >= end)
			return -ETIMEDOUT;
		(void)poll(NULL, 0, 10);
	}
	return fd < 0 ? -errno : 0;
}
