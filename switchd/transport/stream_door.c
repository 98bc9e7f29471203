#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport/stream.h"

/* The listening sockets of a worker's streams: who knocks, and what to do when there is no room. */

enum { ACCEPTS_A_TURN = 64, REOPEN_MS = 100 };

struct door {
	struct event event;
	struct stream *stream;
	uint16_t listener;
};

/* Out of descriptors or memory: no use in asking again at once. */
static void shut_doors(struct stream *s)
{
	for (int i = 0; i < s->listener_count; i++)
		if (s->doors[i].event.is_added)
			(void)loop_change(s->sink->loop, &s->doors[i].event, 0);
	timer_start(&s->sink->loop->wheel, &s->reopen, s->sink->loop->now_ms + REOPEN_MS);
}

static void on_reopen(struct timer *t, int64_t now_ms)
{
	struct stream *s = CONTAINER(t, struct stream, reopen);

	(void)now_ms;
	for (int i = 0; i < s->listener_count; i++)
		if (s->doors[i].event.is_added)
			(void)loop_change(s->sink->loop, &s->doors[i].event, EPOLLIN);
}

static bool is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static bool is_welcome(const struct stream *s, const struct flow *f)
{
	const struct sink *sink = s->sink;

	if (f->proto != PROTO_TLS || !sink->may_shake || sink->may_shake(sink->ctx, f))
		return true;
	stat_add(&sink->stats->refused_connections, 1);
	return false;
}

/* Says whether there may be more. */
static bool accept_one(struct door *d)
{
	struct stream *s = d->stream;
	struct flow f = { .proto = (uint8_t)s->listener[d->listener].proto,
			  .worker = (uint8_t)s->worker,
			  .listener = d->listener };
	struct sockaddr_storage from;
	socklen_t n = sizeof(from);
	struct conn *c;
	int fd = accept4(d->event.fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0 && is_shortage(errno))
		shut_doors(s);
	if (fd < 0)
		return errno == EINTR || errno == ECONNABORTED;
	if (addr_from_sa((struct sockaddr *)&from, n, &f.peer) < 0 || !is_welcome(s, &f))
		(void)close(fd);
	else
		(void)stream_adopt(s, &f, fd, false, &c);
	return true;
}

static void on_knock(struct event *e, uint32_t epoll_events)
{
	struct door *d = CONTAINER(e, struct door, event);

	(void)epoll_events;
	for (int i = 0; i < ACCEPTS_A_TURN && accept_one(d); i++)
		;
}

int doors_open(struct stream *s)
{
	int r = 0;

	timer_init(&s->reopen, on_reopen);
	s->doors = calloc((size_t)s->listener_count + 1, sizeof(*s->doors));
	if (!s->doors)
		return -ENOMEM;
	for (int i = 0; i < s->listener_count && r == 0; i++) {
		s->doors[i] = (struct door){ .stream = s, .listener = (uint16_t)i };
		if (proto_is_stream(s->listener[i].proto))
			r = loop_add(s->sink->loop, &s->doors[i].event, s->listener[i].fd, EPOLLIN,
				     on_knock);
	}
	return r;
}

void doors_close(struct stream *s)
{
	if (!s->doors)
		return;
	timer_stop(&s->reopen);
	for (int i = 0; i < s->listener_count; i++)
		loop_del(s->sink->loop, &s->doors[i].event);
	free(s->doors);
	s->doors = NULL;
}
