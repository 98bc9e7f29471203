#include "transport/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport/quota.h"
#include "transport/stream.h"

/* security.md T1, T2. An unknown source gets a little less than T1 grants, as its figures ask. */
enum {
	CONNECT_MS = 10000,
	SHAKE_MS = 5000,
	IDLE_UNKNOWN_MS = 10000,
	IDLE_TRUSTED_MS = 600000,
	MESSAGE_UNKNOWN_MS = 28000,
	MESSAGE_TRUSTED_MS = 32000,
	LINGER_MS = 1000,
	PAUSE_MS = 5,
	QUEUE_MAX = 256 * 1024,
};

static int64_t now(const struct conn *c)
{
	return c->stream->sink->loop->now_ms;
}

static int64_t deadline(const struct conn *c)
{
	if (c->error)
		return now(c);
	if (c->is_paused)
		return now(c) + PAUSE_MS;
	if (c->is_connecting)
		return c->active_ms + CONNECT_MS;
	if (c->is_shaking)
		return c->active_ms + SHAKE_MS;
	if (c->is_closing)
		return c->active_ms + LINGER_MS;
	if (c->partial_ms)
		return c->partial_ms + (c->is_trusted ? MESSAGE_TRUSTED_MS : MESSAGE_UNKNOWN_MS);
	return c->active_ms + (c->is_trusted ? IDLE_TRUSTED_MS : IDLE_UNKNOWN_MS);
}

static void set_timer(struct conn *c)
{
	timer_start(&c->stream->sink->loop->wheel, &c->timer, deadline(c));
}

static void set_events(struct conn *c)
{
	uint32_t events = c->tls && !c->is_connecting ? tls_link_wants(c->tls) : 0;

	if (!c->is_connecting && !c->is_shaking && !c->is_closing && !c->is_paused)
		events |= EPOLLIN;
	if (c->is_connecting || (!c->is_shaking && c->out.n > c->out_sent))
		events |= EPOLLOUT;
	if (c->error || events == c->events)
		return;
	c->events = events;
	(void)loop_change(c->stream->sink->loop, &c->event, events);
}

void conn_alive(struct conn *c)
{
	if (c->error)
		return;
	c->active_ms = now(c);
	if (!c->is_trusted) { /* keeps the list in order of idleness */
		list_del(&c->member);
		list_add_tail(&c->stream->unknown, &c->member);
	}
}

void conn_end(struct conn *c, int error)
{
	if (c->error)
		return;
	c->error = error;
	loop_del(c->stream->sink->loop, &c->event);
	stream_remove(c->stream, c);
	quota_give(&c->flow.peer, c->is_trusted);
	stat_add(&c->stream->sink->stats->connections, (uint64_t)-1);
	set_timer(c);
}

static void finish_connecting(struct conn *c)
{
	int error = 0;
	socklen_t n = sizeof(error);

	(void)getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &n);
	if (error) {
		conn_end(c, -error);
		return;
	}
	c->is_connecting = false;
	c->is_shaking = c->tls != NULL;
	c->active_ms = now(c);
}

static void shake(struct conn *c)
{
	int r = tls_link_shake(c->tls);

	if (r == -EAGAIN)
		return;
	if (r < 0) {
		conn_end(c, r);
		return;
	}
	c->is_shaking = false;
	c->flow.cert = tls_link_cert(c->tls);
	c->active_ms = now(c);
	conn_flush(c);
}

/* What epoll said may be read now; of TLS also what waits for room to write. */
static bool is_readable(const struct conn *c, uint32_t epoll_events)
{
	if (c->is_shaking || !(c->events & EPOLLIN))
		return false;
	return (epoll_events & ~(uint32_t)EPOLLOUT) ||
	       (c->tls && tls_link_wants(c->tls) == EPOLLOUT);
}

static void on_ready(struct event *e, uint32_t epoll_events)
{
	struct conn *c = CONTAINER(e, struct conn, event);

	if (c->is_connecting)
		finish_connecting(c);
	if (!c->error && c->is_shaking)
		shake(c);
	else if (!c->error && !c->is_connecting && (epoll_events & EPOLLOUT))
		conn_flush(c);
	if (!c->error && is_readable(c, epoll_events))
		conn_read(c);
	else if (!c->error && (epoll_events & (EPOLLERR | EPOLLHUP)))
		conn_end(c, -ECONNRESET);
	if (c->error)
		return;
	set_events(c);
	set_timer(c);
}

static void go_on(struct conn *c)
{
	c->is_paused = false;
	conn_read_on(c);
	set_events(c);
	set_timer(c);
}

static void on_timer(struct timer *t, int64_t now_ms)
{
	struct conn *c = CONTAINER(t, struct conn, timer);
	const struct sink *sink = c->stream->sink;

	(void)now_ms;
	if (c->error) {
		if (!c->is_connecting)
			conn_flush(c); /* the last answers, as far as they go */
		sink->on_gone(sink->ctx, &c->flow, c->is_trusted, c->error);
		conn_free(c);
	} else if (c->is_paused) {
		go_on(c);
	} else {
		conn_end(c, c->is_closing ? -EBADMSG : -ETIMEDOUT);
	}
}

int conn_create(struct conn **ret, struct stream *s, const struct flow *flow, int fd,
		struct tls_link *tls, bool is_ours)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->stream = s;
	c->flow = *flow;
	c->is_connecting = is_ours;
	c->is_trusted = is_ours;
	c->is_shaking = tls && !is_ours;
	c->events = is_ours ? EPOLLOUT : EPOLLIN;
	c->active_ms = now(c);
	list_init(&c->dirty);
	list_init(&c->member);
	timer_init(&c->timer, on_timer);

	int r = loop_add(s->sink->loop, &c->event, fd, c->events, on_ready);

	if (r < 0) {
		free(c);
		return r;
	}
	c->fd = fd;
	c->tls = tls;
	stream_add(s, c);
	stat_add(&s->sink->stats->connections, 1);
	set_timer(c);
	*ret = c;
	return 0;
}

/* SS_TCP_CLOSE_RESET. What the peer ended itself costs us nothing to leave in peace. */
static void reset_if_asked(const struct conn *c)
{
	const struct linger at_once = { .l_onoff = 1 };

	if (c->stream->sink->close_by_reset && c->error != -ECONNRESET)
		(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

void conn_free(struct conn *c)
{
	if (!c->error) {
		loop_del(c->stream->sink->loop, &c->event);
		stream_remove(c->stream, c);
		quota_give(&c->flow.peer, c->is_trusted);
	}
	list_del(&c->member);
	timer_stop(&c->timer);
	c->tls = tls_link_free(c->tls);
	reset_if_asked(c);
	(void)close(c->fd);
	buf_done(&c->in);
	buf_done(&c->out);
	free(c);
}

int conn_send(struct conn *c, struct str bytes)
{
	if (c->error)
		return -ENOTCONN;

	bool is_full = c->out.n - c->out_sent + bytes.n > QUEUE_MAX;

	if (!is_full)
		buf_put(&c->out, bytes);
	if (is_full || buf_error(&c->out) < 0) {
		/* A peer that does not read its answers. Half a message must never leave. */
		stat_add(&c->stream->sink->stats->dropped_full, 1);
		conn_end(c, is_full ? -ENOBUFS : -ENOMEM);
		return c->error;
	}
	if (list_is_empty(&c->dirty))
		list_add_tail(&c->stream->dirty, &c->dirty);
	return 0;
}

static ssize_t write_some(struct conn *c, const char *p, size_t n)
{
	ssize_t r;

	if (c->tls)
		return tls_link_write(c->tls, p, n);
	r = send(c->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return r < 0 ? -errno : r;
}

/* After an error there is nobody left to be told: the timer is already set. */
void conn_flush(struct conn *c)
{
	list_del(&c->dirty);
	if (c->is_connecting || c->is_shaking || buf_error(&c->out) < 0)
		return;

	while (c->out_sent < c->out.n) {
		ssize_t n = write_some(c, c->out.p + c->out_sent, c->out.n - c->out_sent);

		if (n == -EINTR)
			continue;
		if (n < 0 && n != -EAGAIN)
			conn_end(c, (int)n);
		if (n < 0)
			break;
		c->out_sent += (size_t)n;
	}
	if (c->out_sent == c->out.n) {
		buf_done(&c->out);
		c->out_sent = 0;
	}
	set_events(c);
}

void conn_trust(struct conn *c)
{
	if (c->is_trusted || c->error)
		return;
	quota_trust(&c->flow.peer);
	c->is_trusted = true;
	list_del(&c->member);
	list_add_tail(&c->stream->trusted, &c->member);
	set_timer(c);
}
