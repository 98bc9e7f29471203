#include "control/server.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "control/conn.h"
#include "control/sock.h"

enum { RETRY_US = 200 * 1000 };

struct server {
	struct conn_user user;
	struct list conns;
	char *path;
	int fd;
	sd_event_source *listener;
	sd_event_source *retry; /* listens again after descriptors ran out */
};

static unsigned count(const struct server *s)
{
	unsigned n = 0;

	for (const struct list *it = s->conns.next; it != &s->conns; it = it->next)
		n++;
	return n;
}

/* Who may come in. The answers name no detail: a stranger learns only that it is one. */
static int admit(const struct server *s, int fd, struct peer *peer, struct err *err)
{
	if (peer_of(peer, fd) < 0 || !peer->is_admin)
		return err_set(err, ERR_FORBIDDEN, "", STR(""),
			       "root, the daemon's own user and members of group " SOCK_GROUP,
			       "you may not use the control socket");
	if (count(s) >= SERVER_CLIENTS_MAX)
		return err_set(err, ERR_CONFLICT, "", STR(""), "a try in a moment",
			       "too many clients are connected");
	return 0;
}

/*
 * Out of descriptors or memory the connection stays in the queue and would call again at once, for
 * ever; so the listener rests a moment.
 */
static void rest(struct server *s)
{
	if (sd_event_source_set_time_relative(s->retry, RETRY_US) >= 0 &&
	    sd_event_source_set_enabled(s->retry, SD_EVENT_ONESHOT) >= 0)
		(void)sd_event_source_set_enabled(s->listener, SD_EVENT_OFF);
}

static int on_retry(sd_event_source *source, uint64_t at, void *ctx)
{
	struct server *s = ctx;

	(void)source;
	(void)at;
	(void)sd_event_source_set_enabled(s->listener, SD_EVENT_ON);
	return 0;
}

static int on_accept(sd_event_source *source, int listening, uint32_t events, void *ctx)
{
	struct server *s = ctx;
	struct peer peer = { 0 };
	struct err err = ERR_INIT;

	(void)source;
	(void)events;
	int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			rest(s);
		return 0;
	}

	if (admit(s, fd, &peer, &err) < 0)
		conn_turn_away(fd, &err);
	else
		(void)conn_open(&s->conns, &s->user, &peer, fd);
	return 0;
}

static int add_sources(struct server *s)
{
	int r = sd_event_add_io(s->user.ev, &s->listener, s->fd, EPOLLIN, on_accept, s);
	if (r < 0)
		return r;
	r = sd_event_add_time(s->user.ev, &s->retry, CLOCK_MONOTONIC, 0, 0, on_retry, s);
	return r < 0 ? r : sd_event_source_set_enabled(s->retry, SD_EVENT_OFF);
}

static int start(struct server *s, const char *path, struct err *err)
{
	s->path = str_dup(str_of(path));
	if (!s->path)
		return -ENOMEM;
	s->fd = sock_listen(path, err);
	if (s->fd < 0)
		return s->fd;
	return add_sources(s);
}

int server_create(struct server **ret, sd_event *ev, const char *path, request_fn *on_request,
		  void *ctx, struct err *err)
{
	CLEANUP(server_free) struct server *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	list_init(&s->conns);
	s->fd = -1;
	s->user = (struct conn_user){ .ev = sd_event_ref(ev),
				      .on_request = on_request,
				      .ctx = ctx,
				      .patience_us = SERVER_PATIENCE_MS * 1000 };

	int r = start(s, path, err);
	if (r < 0)
		return r;
	*ret = TAKE(s);
	return 0;
}

struct server *server_free(struct server *s)
{
	if (!s)
		return NULL;
	conn_close_all(&s->conns);
	sd_event_source_disable_unref(s->listener);
	sd_event_source_disable_unref(s->retry);
	if (s->fd >= 0) {
		(void)unlink(s->path);
		(void)close(s->fd);
	}
	sd_event_unref(s->user.ev);
	free(s->path);
	free(s);
	return NULL;
}

void server_set_patience(struct server *s, uint64_t ms)
{
	s->user.patience_us = ms * 1000;
}
