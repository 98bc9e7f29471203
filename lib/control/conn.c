/*
 * A client goes through this cycle, a step a turn of the event loop, so that ten thousand lines
 * sent at once hold up nobody else:
 *
 *	input ──▶ a line ──▶ on_request ──▶ request_done ──▶ output ──▶ input
 *
 * While a request is pending the socket is not read, and while an answer is unsent no line is
 * looked at. request_done may be called from inside on_request or hours later, so it only files
 * the answer and wakes the client; all else, freeing above all, happens in step(), called by the
 * event loop alone.
 */
#include "control/conn.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "control/line.h"

enum { ACCURACY_US = 10 * 1000 };

struct pending;

struct conn {
	struct list node;
	const struct conn_user *user;
	struct peer peer;
	int fd;
	sd_event_source *io;    /* the socket */
	sd_event_source *again; /* one-shot: there may be something to do */
	sd_event_source *timer; /* runs while is_waiting */
	struct lines in;
	struct buf out; /* the answer under way */
	size_t sent;    /* how much of it is gone */
	struct pending *pending;
	bool is_waiting; /* the client keeps us waiting */
	bool is_ended;   /* nothing more will come in */
	bool is_broken;  /* not to be served any more */
};

struct pending {
	struct request request;
	struct rpc_call call;
	struct conn *conn; /* NULL once the client is gone */
	bool is_silent;    /* a notification: nobody wants the answer */
};

static struct conn *conn_free(struct conn *c)
{
	if (c->pending)
		c->pending->conn = NULL;
	sd_event_source_disable_unref(c->io);
	sd_event_source_disable_unref(c->again);
	sd_event_source_disable_unref(c->timer);
	list_del(&c->node);
	lines_done(&c->in);
	buf_done(&c->out);
	(void)close(c->fd);
	free(c);
	return NULL;
}

/* If even that fails, hanging up makes the socket itself call for a step. */
static void wake(struct conn *c)
{
	if (sd_event_source_set_enabled(c->again, SD_EVENT_ONESHOT) < 0) {
		c->is_broken = true;
		(void)shutdown(c->fd, SHUT_RDWR);
	}
}

static void finish(struct pending *p)
{
	if (p->conn) {
		p->conn->pending = NULL;
		wake(p->conn);
	}
	rpc_call_done(&p->call);
	free(p);
}

static void answer_error(struct pending *p, const struct err *err)
{
	if (p->conn && !p->is_silent && rpc_put_error(&p->conn->out, p->call.id, err) < 0)
		p->conn->is_broken = true;
}

static int answer_result(struct pending *p, json_t *result)
{
	if (!p->conn || p->is_silent)
		return 0;
	return rpc_put_result(&p->conn->out, p->call.id, result);
}

void request_done(struct request *r, json_t *result)
{
	struct pending *p = CONTAINER(r, struct pending, request);
	struct err err = ERR_INIT;

	int e = answer_result(p, result);
	if (e == -EMSGSIZE) {
		(void)err_set(&err, ERR_BAD_VALUE, "limit", STR(""), "a smaller limit=, more pages",
			      "the answer would be longer than 64 MiB");
		answer_error(p, &err);
	} else if (e < 0) {
		p->conn->is_broken = true;
	}
	json_decref(result);
	finish(p);
}

void request_fail(struct request *r, const struct err *err)
{
	struct pending *p = CONTAINER(r, struct pending, request);

	answer_error(p, err);
	finish(p);
}

bool request_is_gone(struct request *r)
{
	return !CONTAINER(r, struct pending, request)->conn;
}

static void name_actor(const struct conn *c, struct pending *p)
{
	size_t size = sizeof(p->request.actor);

	if (c->peer.may_name_actor && p->call.actor[0])
		(void)snprintf(p->request.actor, size, "%s", p->call.actor);
	else if (c->peer.uid == 0)
		(void)snprintf(p->request.actor, size, "root");
	else
		(void)snprintf(p->request.actor, size, "uid %u", (unsigned)c->peer.uid);
}

static int understand(struct pending *p, struct str line, struct err *err)
{
	int r = rpc_parse(&p->call, line, err);
	if (r < 0)
		return r;

	p->is_silent = !p->call.id;
	p->request.params = p->call.params;
	p->request.op = op_find(p->call.method);
	if (p->request.op == OP_COUNT)
		return err_set(err, ERR_UNKNOWN_OPERATION, "method", p->call.method,
			       "the operations that `switchctl help` lists",
			       "there is no such operation");
	return 0;
}

/* One line in, one call of on_request or an error out. Blank lines are nothing. */
static void serve(struct conn *c, struct str line)
{
	struct err err = ERR_INIT;

	if (str_is_empty(str_trim(line)))
		return;

	struct pending *p = calloc(1, sizeof(*p));
	if (!p) {
		c->is_broken = true;
		return;
	}
	p->conn = c;
	c->pending = p;

	int r = understand(p, line, &err);
	name_actor(c, p);
	if (r == 0) {
		c->user->on_request(c->user->ctx, &p->request);
	} else if (r == -EINVAL) {
		request_fail(&p->request, &err);
	} else {
		c->is_broken = true;
		finish(p);
	}
}

static bool has_output(const struct conn *c)
{
	return c->sent < c->out.n;
}

static int set_timer(struct conn *c, bool on)
{
	if (on == c->is_waiting)
		return 0;
	c->is_waiting = on;
	if (!on)
		return sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);

	int r = sd_event_source_set_time_relative(c->timer, c->user->patience_us);
	return r < 0 ? r : sd_event_source_set_enabled(c->timer, SD_EVENT_ONESHOT);
}

static void send_output(struct conn *c)
{
	while (has_output(c)) {
		ssize_t n = send(c->fd, c->out.p + c->sent, c->out.n - c->sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			c->is_broken |= errno != EAGAIN;
			return;
		}
		c->sent += (size_t)n;
		(void)set_timer(c, false); /* it does read: its time starts again */
	}
	buf_done(&c->out);
	c->sent = 0;
}

static void take_input(struct conn *c)
{
	ssize_t n = lines_read(&c->in, c->fd);
	struct err err = ERR_INIT;

	if (n > 0 || n == -EAGAIN)
		return;
	c->is_ended = true;
	c->is_broken = n < 0 && n != -EMSGSIZE;
	if (n != -EMSGSIZE)
		return;

	/* Where the next line starts nobody knows, so this answer is the last one. */
	(void)err_set(&err, ERR_SYNTAX, "", STR(""), "a line of up to 64 MiB",
		      "the line is too long");
	c->is_broken = rpc_put_error(&c->out, NULL, &err) < 0;
	lines_done(&c->in);
}

/* Says what to wait for. A pending request waits for nobody's bytes; only for the client's leaving, which is always told. */
static int watch(struct conn *c)
{
	bool reads = !c->pending && !has_output(c) && !c->is_ended;

	int r = set_timer(c, has_output(c) || (reads && lines_is_partial(&c->in)));
	if (r < 0)
		return r;
	return sd_event_source_set_io_events(c->io, (reads ? EPOLLIN : 0) |
							    (has_output(c) ? EPOLLOUT : 0));
}

/*
 * At most one line is served; whether there are more is seen at the next turn. Frees the client
 * when it is over.
 */
static void step(struct conn *c)
{
	struct str line;
	bool has_line = false;

	if (!c->is_broken)
		send_output(c);
	if (!c->is_broken && !c->pending && !has_output(c)) {
		has_line = lines_next(&c->in, &line);
		if (has_line) {
			serve(c, line);
			wake(c);
		}
	}

	bool is_over = c->is_ended && !has_line && !c->pending && !has_output(c);
	if (c->is_broken || is_over || watch(c) < 0)
		(void)conn_free(c);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct conn *c = ctx;

	(void)source;
	(void)fd;
	if (c->pending && (events & (EPOLLHUP | EPOLLERR)))
		c->is_broken = true;
	if ((events & ~(uint32_t)EPOLLOUT) && !c->pending && !has_output(c))
		take_input(c);
	step(c);
	return 0;
}

static int on_again(sd_event_source *source, void *ctx)
{
	(void)source;
	step(ctx);
	return 0;
}

static int on_time(sd_event_source *source, uint64_t at, void *ctx)
{
	(void)source;
	(void)at;
	(void)conn_free(ctx);
	return 0;
}

static int add_sources(struct conn *c)
{
	sd_event *ev = c->user->ev;

	int r = sd_event_add_io(ev, &c->io, c->fd, EPOLLIN, on_io, c);
	if (r < 0)
		return r;
	r = sd_event_add_defer(ev, &c->again, on_again, c);
	if (r < 0)
		return r;
	r = sd_event_add_time(ev, &c->timer, CLOCK_MONOTONIC, 0, ACCURACY_US, on_time, c);
	return r < 0 ? r : sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);
}

int conn_open(struct list *conns, const struct conn_user *user, const struct peer *peer, int fd)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c) {
		(void)close(fd);
		return -ENOMEM;
	}
	c->user = user;
	c->peer = *peer;
	c->fd = fd;
	list_add_tail(conns, &c->node);

	int r = add_sources(c);
	if (r < 0)
		(void)conn_free(c);
	return r;
}

void conn_close_all(struct list *conns)
{
	struct list *it, *next;

	LIST_EACH (it, next, conns)
		(void)conn_free(CONTAINER(it, struct conn, node));
}

void conn_turn_away(int fd, const struct err *err)
{
	CLEANUP(buf_done) struct buf line = BUF_INIT;

	if (rpc_put_error(&line, NULL, err) == 0)
		(void)send(fd, line.p, line.n, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)close(fd);
}
