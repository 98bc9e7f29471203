#include "courier/wire.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Ready for `events`: 0; -ETIMEDOUT; -ECANCELED at the end. */
static int wait_for(const struct wire *w, int fd, short events)
{
	struct pollfd p[2] = { { .fd = fd, .events = events }, { .fd = w->end, .events = POLLIN } };
	ms_t left = w->deadline - clock_mono_ms();
	int n = left > 0 ? poll(p, 2, (int)left) : 0;

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -ETIMEDOUT;
	return p[1].revents ? -ECANCELED : 0;
}

static int connect_one(struct wire *w, const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r = fd < 0 ? -errno : 0, failed = 0;
	socklen_t n = sizeof(failed);

	if (r == 0 && connect(fd, a->ai_addr, a->ai_addrlen) < 0)
		r = errno == EINPROGRESS ? wait_for(w, fd, POLLOUT) : -errno;
	if (r == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &n) == 0)
		r = -failed;
	if (r == 0)
		w->fd = fd;
	else if (fd >= 0)
		(void)close(fd);
	return r;
}

int wire_open(struct wire *w, struct str host, uint16_t port, int end, ms_t patience_ms)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct addrinfo *list = NULL;
	CLEANUP(free) char *name = str_dup(host);
	char service[8];
	int r = -EHOSTUNREACH;

	*w = (struct wire){ .fd = -1, .end = end, .deadline = clock_mono_ms() + patience_ms };
	(void)snprintf(service, sizeof(service), "%u", port);
	if (!name)
		return -ENOMEM;
	if (getaddrinfo(name, service, &hints, &list) != 0)
		return -EHOSTUNREACH;
	for (const struct addrinfo *a = list; r < 0 && r != -ECANCELED && a; a = a->ai_next)
		r = connect_one(w, a);
	freeaddrinfo(list);
	return r;
}

void wire_close(struct wire *w)
{
	if (w->fd >= 0)
		(void)close(w->fd);
	w->fd = -1;
}

int wire_send(struct wire *w, struct str s)
{
	while (s.n > 0) {
		ssize_t n = send(w->fd, s.p, s.n, MSG_NOSIGNAL);
		int r = n >= 0 ? 0 : errno == EAGAIN ? wait_for(w, w->fd, POLLOUT) : -errno;

		if (r < 0)
			return r;
		if (n > 0)
			s = str_skip(s, (size_t)n);
	}
	return 0;
}

int wire_read(struct wire *w, struct buf *into, size_t max)
{
	for (;;) {
		char more[512];
		ssize_t n = recv(w->fd, more, sizeof(more), 0);
		int r = n > 0             ? 0
			: n == 0          ? -ECONNRESET
			: errno == EAGAIN ? wait_for(w, w->fd, POLLIN)
					  : -errno;

		if (r < 0)
			return r;
		if (n <= 0)
			continue;
		if (into->n + (size_t)n > max)
			return -EMSGSIZE;
		buf_put(into, str_n(more, (size_t)n));
		return buf_error(into);
	}
}
