#include "golive/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "golive/link.h"

/* Addresses of the pair: from the net that is set aside for tests of network devices (RFC 2544). */
static const uint32_t address_here = 0xc6124d01, address_there = 0xc6124d02;
enum { BATCH = 2000, WAIT_MS = 400, LINK_MS = 5000, PAIR_BITS = 30 };

static const uint16_t udp_ports[] = { 7,   53,  67,   69,   111,  123,  137,  161,  389,  443,  500,
				      514, 520, 1194, 1812, 1900, 2049, 4500, 5061, 5353, 11211 };

static const char here[] = "golive0", there[] = "golive1";

/* ---- asking, in the child ---- */

static int answer_of(int fd)
{
	int error = 0;
	socklen_t n = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
		error = errno;
	if (error == 0)
		return SCAN_OPEN;
	return error == ECONNREFUSED || error == ECONNRESET ? SCAN_REFUSED : SCAN_SILENT;
}

static int ask_tcp(const struct addr *target, uint16_t port)
{
	struct addr at = *target;
	int fd = socket(at.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	addr_set_port(&at, port);
	if (fd >= 0 && connect(fd, &at.sa, addr_len(&at)) < 0 && errno != EINPROGRESS &&
	    errno != ECONNREFUSED) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static int ask_udp(const struct addr *target, uint16_t port)
{
	struct addr at = *target;
	int fd = socket(at.sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	addr_set_port(&at, port);
	if (fd >= 0 && (connect(fd, &at.sa, addr_len(&at)) < 0 || send(fd, "\r\n\r\n", 4, 0) < 0)) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* Waits until all have answered, or long enough; what never did stays silent. */
static void collect(struct pollfd *p, const uint16_t *port, int n, uint8_t *ret)
{
	int64_t end = clock_mono_ms() + WAIT_MS, left;
	int open = n;

	while (open > 0 && (left = end - clock_mono_ms()) > 0 &&
	       poll(p, (nfds_t)n, (int)left) > 0) {
		for (int i = 0; i < n; i++) {
			if (p[i].fd < 0 || p[i].revents == 0)
				continue;
			ret[port[i]] = (uint8_t)answer_of(p[i].fd);
			(void)close(p[i].fd);
			p[i].fd = -1;
			open--;
		}
	}
	for (int i = 0; i < n; i++) {
		if (p[i].fd >= 0)
			(void)close(p[i].fd);
	}
}

static void ask_all(const struct addr *target, struct scan_result *result, int batch)
{
	struct pollfd p[BATCH];
	uint16_t port[BATCH];
	const int count = sizeof(udp_ports) / sizeof(udp_ports[0]);

	for (int next = 1; next < 65536;) {
		int n = 0;

		for (; n < batch && next < 65536; next++, n++) {
			port[n] = (uint16_t)next;
			p[n] = (struct pollfd){ .fd = ask_tcp(target, port[n]), .events = POLLOUT };
		}
		collect(p, port, n, result->tcp);
	}
	for (int i = 0; i < count; i++)
		p[i] = (struct pollfd){ .fd = ask_udp(target, udp_ports[i]), .events = POLLIN };
	collect(p, udp_ports, count, result->udp);
}

static int batch_size(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return 100;
	l.rlim_cur = l.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &l);
	return l.rlim_cur < BATCH + 100 ? (int)l.rlim_cur / 2 : BATCH;
}

/*
 * The first packet asks for the target's hardware address, behind which only a few others may wait:
 * it goes alone.
 */
static void knock(const struct addr *target)
{
	struct pollfd p = { .fd = ask_tcp(target, 1), .events = POLLOUT };

	(void)poll(&p, 1, WAIT_MS);
	if (p.fd >= 0)
		(void)close(p.fd);
}

/* ---- the namespaces ---- */

static int enter(const char *netns)
{
	CLEANUP(close) int fd = open(netns, O_RDONLY | O_CLOEXEC);

	return fd < 0 || setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

/* One octet each way: "I am in my namespace", "your end of the pair is there". */
static int wait_octet(int fd)
{
	char c;

	return read(fd, &c, 1) == 1 ? 0 : -EPIPE;
}

static int send_octet(int fd)
{
	return write(fd, "", 1) == 1 ? 0 : -EPIPE;
}

static int set_up_there(int from, int to)
{
	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	int r = send_octet(to);

	if (r == 0)
		r = wait_octet(from);
	if (r == 0)
		r = link_set_up(there, address_there, PAIR_BITS);
	if (r == 0)
		r = link_wait(there, LINK_MS);
	return r == 0 ? link_add_default_route(address_here) : r;
}

static void child(struct scan_result *result, const char *netns, const struct addr *target,
		  int from, int to)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	result->error = netns ? enter(netns) : set_up_there(from, to);
	if (result->error == 0)
		knock(target);
	if (result->error == 0)
		ask_all(target, result, batch_size());
	_exit(0);
}

static int set_up_here(int from, int to, pid_t process)
{
	int r = wait_octet(from);

	if (r == 0)
		r = link_make_pair(here, there, process);
	if (r == 0)
		r = link_set_up(here, address_here, PAIR_BITS);
	return r == 0 ? send_octet(to) : r;
}

/* ---- the parent ---- */

static int start_child(struct scan *s, const char *netns, const struct addr *target)
{
	int up[2], down[2], r = 0;

	if (pipe2(up, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(down, O_CLOEXEC) < 0) {
		r = -errno;
		(void)close(up[0]);
		(void)close(up[1]);
		return r;
	}
	s->child = fork();
	if (s->child == 0)
		child(s->result, netns, target, down[0], up[1]);
	(void)close(up[1]);
	(void)close(down[0]);
	if (s->child < 0)
		r = -errno;
	else if (!netns)
		r = set_up_here(up[0], down[1], s->child);
	(void)close(up[0]);
	(void)close(down[1]);
	return r;
}

int scan_start(struct scan *s, const char *netns, const struct addr *target, struct err *err)
{
	struct addr at = *target;

	*s = (struct scan){ 0 };
	if (!addr_is_set(&at)) {
		at.in = (struct sockaddr_in){ .sin_family = AF_INET };
		at.in.sin_addr.s_addr = htonl(address_here);
	}
	s->result = mmap(NULL, sizeof(*s->result), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->result == MAP_FAILED) {
		s->result = NULL;
		return -errno;
	}
	int r = start_child(s, netns, &at);
	if (r == 0)
		return 0;
	/* The child knows better why it did not get as far as to speak to us. */
	if (s->child > 0)
		(void)waitpid(s->child, NULL, r == -EPIPE ? 0 : WNOHANG);
	if (r == -EPIPE && s->result->error < 0)
		r = s->result->error;
	if (r == -EPIPE)
		s->child = 0;
	scan_done(s);
	(void)err_set(err, ERR_FORBIDDEN, "", str_of(netns ? netns : ""), "root",
		      "no other network namespace to look from: %s", strerror(-r));
	return r;
}

bool scan_is_done(struct scan *s)
{
	if (s->child > 0 && waitpid(s->child, NULL, WNOHANG) == 0)
		return false;
	s->child = 0;
	return true;
}

void scan_done(struct scan *s)
{
	if (s->child > 0) {
		(void)kill(s->child, SIGKILL);
		(void)waitpid(s->child, NULL, 0);
	}
	if (s->result)
		(void)munmap(s->result, sizeof(*s->result));
	*s = (struct scan){ 0 };
}
