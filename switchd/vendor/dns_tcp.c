#include "vendor/dns_tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "vendor/dns.h"

enum { LENGTH = 2, PIECE = 4096 };

struct dns_tcp {
	struct loop *loop;
	struct event event;
	dns_tcp_fn *on_done;
	void *ctx;
	struct buf out, in;
	size_t sent;
};

/* Nothing of it is touched behind this. */
static void done(struct dns_tcp *t, int error)
{
	const uint8_t *bytes = (const uint8_t *)t->in.p;

	loop_del(t->loop, &t->event);
	if (error)
		t->on_done(t->ctx, error, NULL, 0);
	else
		t->on_done(t->ctx, 0, bytes + LENGTH, t->in.n - LENGTH);
}

/* Octets that are still to come; the length itself first. */
static size_t missing(const struct dns_tcp *t)
{
	const uint8_t *p = (const uint8_t *)t->in.p;

	if (t->in.n < LENGTH)
		return LENGTH - t->in.n;
	return (size_t)(p[0] << 8 | p[1]) + LENGTH - t->in.n;
}

static void receive(struct dns_tcp *t)
{
	uint8_t piece[PIECE];
	size_t want = missing(t);
	ssize_t n = recv(t->event.fd, piece, want < PIECE ? want : PIECE, MSG_DONTWAIT);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			done(t, -errno);
		return;
	}
	buf_put(&t->in, str_n(piece, (size_t)n));
	if (n == 0 || buf_error(&t->in))
		done(t, n == 0 ? -EPIPE : -ENOMEM);
	else if (t->in.n >= LENGTH && t->in.n + missing(t) > LENGTH + DNS_ANSWER_BYTES)
		done(t, -EFBIG);
	else if (t->in.n > LENGTH && missing(t) == 0)
		done(t, 0);
}

static void transmit(struct dns_tcp *t)
{
	ssize_t n = send(t->event.fd, t->out.p + t->sent, t->out.n - t->sent,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			done(t, -errno);
		return;
	}
	t->sent += (size_t)n;
	if (t->sent == t->out.n)
		(void)loop_change(t->loop, &t->event, EPOLLIN);
}

/* That a connection failed, sending tells, too. */
static void on_ready(struct event *e, uint32_t epoll_events)
{
	struct dns_tcp *t = CONTAINER(e, struct dns_tcp, event);

	(void)epoll_events;
	if (t->sent < t->out.n)
		transmit(t);
	else
		receive(t);
}

static int open_connection(struct dns_tcp *t, const struct addr *server)
{
	int fd = socket(server->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	t->event.fd = fd; /* closed with it */
	if (connect(fd, &server->sa, addr_len(server)) < 0 && errno != EINPROGRESS)
		return -errno;
	return loop_add(t->loop, &t->event, fd, EPOLLOUT, on_ready);
}

int dns_tcp_create(struct dns_tcp **ret, struct loop *loop, const struct addr *server,
		   const uint8_t *question, size_t n, dns_tcp_fn *on_done, void *ctx)
{
	struct dns_tcp *t = calloc(1, sizeof(*t));
	int r = t ? 0 : -ENOMEM;

	if (r < 0)
		return r;
	t->loop = loop;
	t->on_done = on_done;
	t->ctx = ctx;
	buf_putc(&t->out, (char)(n >> 8));
	buf_putc(&t->out, (char)n);
	buf_put(&t->out, str_n(question, n));
	r = buf_error(&t->out);
	if (r == 0)
		r = open_connection(t, server);
	if (r < 0) {
		dns_tcp_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

struct dns_tcp *dns_tcp_free(struct dns_tcp *t)
{
	if (!t)
		return NULL;
	if (t->event.fd > 0) {
		loop_del(t->loop, &t->event);
		(void)close(t->event.fd);
	}
	buf_done(&t->out);
	buf_done(&t->in);
	free(t);
	return NULL;
}
