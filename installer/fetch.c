#include "fetch.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/http.h"

static int wait_for(int fd, short what, ms_t until)
{
	for (;;) {
		ms_t left = until - clock_mono_ms();
		struct pollfd p = { .fd = fd, .events = what };

		if (left <= 0)
			return -ETIMEDOUT;
		int r = poll(&p, 1, (int)(left < 1000 ? left : 1000));
		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR)
			return -errno;
	}
}

static int connect_to(const struct addrinfo *a, ms_t until)
{
	CLEANUP(close)
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
	int failed = 0;
	socklen_t n = sizeof(failed);

	if (fd < 0)
		return -errno;
	if (connect(fd, a->ai_addr, a->ai_addrlen) < 0 && errno != EINPROGRESS)
		return -errno;
	int r = wait_for(fd, POLLOUT, until);
	if (r < 0)
		return r;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &n) < 0 || failed)
		return failed ? -failed : -errno;
	r = fd;
	fd = -1;
	return r;
}

static int open_connection(const struct http_url *u, ms_t until)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	CLEANUP(free) char *host = str_dup(u->host);
	struct addrinfo *found = NULL;
	char port[8];
	int r = -EHOSTUNREACH;

	(void)snprintf(port, sizeof(port), "%u", u->port);
	if (!host)
		return -ENOMEM;
	if (getaddrinfo(host, port, &hints, &found) != 0)
		return -EHOSTUNREACH;
	for (const struct addrinfo *a = found; a && r < 0; a = a->ai_next)
		r = connect_to(a, until);
	freeaddrinfo(found);
	return r;
}

static int send_all(int fd, struct str s, ms_t until)
{
	while (s.n > 0) {
		int r = wait_for(fd, POLLOUT, until);
		if (r < 0)
			return r;
		ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		s = str_skip(s, n > 0 ? (size_t)n : 0);
	}
	return 0;
}

static int read_all(int fd, size_t max, ms_t until, struct buf *out)
{
	for (;;) {
		int r = wait_for(fd, POLLIN, until);
		if (r == 0)
			r = buf_reserve(out, 4096);
		if (r < 0)
			return r;
		ssize_t n = recv(fd, out->p + out->n, 4096, 0);
		if (n == 0)
			return 0;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		out->n += n > 0 ? (size_t)n : 0;
		if (out->n > max)
			return -EFBIG;
	}
}

int fetch_url(struct str url, size_t max, ms_t limit, struct buf *out, struct err *err)
{
	enum { HEAD_MAX = 16384 };
	CLEANUP(buf_done) struct buf request = BUF_INIT;
	CLEANUP(buf_done) struct buf reply = BUF_INIT;
	ms_t until = clock_mono_ms() + limit;
	struct http_url u;
	struct str body;

	int r = http_url_parse(url, &u, err);
	if (r < 0)
		return r;
	http_put_get(&u, &request);
	CLEANUP(close) int fd = open_connection(&u, until);
	r = fd < 0 ? fd : send_all(fd, buf_str(&request), until);
	if (r == 0)
		r = read_all(fd, max + HEAD_MAX, until, &reply);
	if (r < 0) {
		(void)err_set(err, ERR_NOT_FOUND, "", url, NULL, "cannot fetch it: %s",
			      strerror(-r));
		return r;
	}
	r = http_reply_parse(buf_str(&reply), &body, err);
	if (r == 0 && body.n > max)
		r = err_set(err, ERR_BAD_VALUE, "", url, NULL, "the file is too large");
	if (r == 0)
		buf_put(out, body);
	return r < 0 ? r : buf_error(out);
}
