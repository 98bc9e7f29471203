#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/http.h"
#include "courier/inner.h"

/* A receiver has this long for a batch, from the connection to its answer. */
enum { PATIENCE_MS = 10000, REPLY_MAX = 4096 };

/* Ready for `events`: 0; -ETIMEDOUT; -ECANCELED at the end. */
static int wait_for(const struct courier *c, int fd, short events, ms_t deadline)
{
	struct pollfd p[2] = { { .fd = fd, .events = events }, { .fd = c->end, .events = POLLIN } };
	ms_t left = deadline - clock_mono_ms();
	int n = left > 0 ? poll(p, 2, (int)left) : 0;

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -ETIMEDOUT;
	return p[1].revents ? -ECANCELED : 0;
}

static int connect_one(const struct courier *c, const struct addrinfo *a, ms_t deadline, int *ret)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r = fd < 0 ? -errno : 0, failed = 0;
	socklen_t n = sizeof(failed);

	if (r == 0 && connect(fd, a->ai_addr, a->ai_addrlen) < 0)
		r = errno == EINPROGRESS ? wait_for(c, fd, POLLOUT, deadline) : -errno;
	if (r == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &n) == 0)
		r = -failed;
	if (r == 0)
		*ret = fd;
	else if (fd >= 0)
		(void)close(fd);
	return r;
}

static int connect_to(const struct courier *c, const struct http_url *u, ms_t deadline, int *ret)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct addrinfo *list = NULL;
	CLEANUP(free) char *host = str_dup(u->host);
	char port[8];
	int r = -EHOSTUNREACH;

	(void)snprintf(port, sizeof(port), "%u", u->port);
	if (!host)
		return -ENOMEM;
	if (getaddrinfo(host, port, &hints, &list) != 0)
		return -EHOSTUNREACH;
	for (const struct addrinfo *a = list; r < 0 && r != -ECANCELED && a; a = a->ai_next)
		r = connect_one(c, a, deadline, ret);
	freeaddrinfo(list);
	return r;
}

static int send_all(const struct courier *c, int fd, struct str s, ms_t deadline)
{
	while (s.n > 0) {
		ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);
		int r = n >= 0 ? 0 : errno == EAGAIN ? wait_for(c, fd, POLLOUT, deadline) : -errno;

		if (r < 0)
			return r;
		if (n > 0)
			s = str_skip(s, (size_t)n);
	}
	return 0;
}

/* The status line is all that counts. */
static int read_status(const struct courier *c, int fd, ms_t deadline, struct buf *reply)
{
	while (reply->n < REPLY_MAX && str_find(buf_str(reply), STR("\n")) < 0) {
		char more[512];
		ssize_t n = recv(fd, more, sizeof(more), 0);
		int r = n > 0             ? 0
			: n == 0          ? -ECONNRESET
			: errno == EAGAIN ? wait_for(c, fd, POLLIN, deadline)
					  : -errno;

		if (r < 0)
			return r;
		if (n > 0)
			buf_put(reply, str_n(more, (size_t)n));
	}
	return buf_error(reply);
}

static int exchange(const struct courier *c, const struct http_url *u, struct str body,
		    struct err *err)
{
	CLEANUP(buf_done) struct buf head = BUF_INIT, reply = BUF_INIT;
	ms_t deadline = clock_mono_ms() + PATIENCE_MS;
	int fd = -1, r = connect_to(c, u, deadline, &fd);

	http_put_post(u, c->kind == COURIER_POST ? "application/json" : "text/plain; charset=utf-8",
		      body.n, &head);
	if (r == 0)
		r = buf_error(&head);
	if (r == 0)
		r = send_all(c, fd, buf_str(&head), deadline);
	if (r == 0)
		r = send_all(c, fd, body, deadline);
	if (r == 0)
		r = read_status(c, fd, deadline, &reply);
	if (fd >= 0)
		(void)close(fd);
	return r < 0 ? r : http_reply_accepted(buf_str(&reply), err);
}

int send_batch(const struct courier *c, const struct batch *b, struct err *err)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT;
	struct http_url u;
	int r = http_url_parse(buf_str(&c->wish.url), &u, err);

	if (r < 0 || b->content.n == 0)
		return r;
	buf_putz(&body, c->kind == COURIER_POST ? "[" : "");
	buf_put(&body, buf_str(&b->content));
	buf_putz(&body, c->kind == COURIER_POST ? "]" : "");
	r = buf_error(&body);
	if (r == 0)
		r = exchange(c, &u, buf_str(&body), err);
	if (r < 0)
		(void)err_set(err, ERR_STORE, "", buf_str(&c->wish.url), NULL, "%s", strerror(-r));
	return r;
}
