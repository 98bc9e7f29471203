#include "sentry.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "control/sock.h"
#include "journal.h"

#define SENDER_USER  "switch"
#define SOCKET_GROUP "tandem"

enum {
	TURN_MAX = 256, /* datagrams read before others get their turn */
	SOCKET_MODE = 0660,
	SOCKET_ROOM = 1024 * 1024,
};

struct sentry {
	struct guard *guard;
	struct journal *journal;
	sd_event_source *source;
	sentry_fn *on_change;
	void *ctx;
	char *path;
	int fd;
	uid_t sender;   /* switchd's user */
	bool is_warned; /* of a datagram that was none of switchd's */
};

/* ---- judgement ---- */

static void carry_out(struct sentry *s, const struct event *e, const struct sentence *sentence)
{
	struct wish w = { .net = ban_net(&e->src),
			  .seconds = sentence->seconds,
			  .cause = sentence->cause,
			  .level = sentence->level,
			  .reason = str_of(sentence->reason),
			  .evidence = str_of(sentence->evidence),
			  .by = STR("lockoutd") };
	struct err err = ERR_INIT;
	struct ban *b;

	if (guard_ban(s->guard, &w, &b, &err) < 0)
		log_at(sentence->cause == CAUSE_KNOCKING ? LOG_DEBUG : LOG_WARNING, NULL,
		       "%s: %s; %s", err.message, sentence->reason, sentence->evidence);
}

/* A ban in force is not made shorter by what a forged packet adds to it. */
static bool is_shorter(const struct ban *b, const struct sentence *s, ms_t now)
{
	return b && b->is_active && b->until > now + s->seconds * 1000;
}

static void judge(struct sentry *s, const struct event *e)
{
	struct cidr net = ban_net(&e->src);
	struct ban *before = bans_find(s->guard->bans, &net);
	struct sentence sentence = { 0 };
	char text[ADDR_TEXT];
	ms_t now = clock_mono_ms();

	switch (judge_event(s->guard->judge, e, before, now, clock_wall_ms(), &sentence)) {
	case JUDGE_NOTHING:
		break;
	case JUDGE_KNOW:
		guard_know(s->guard, &net, (int64_t)CUSTOMER_S * 1000);
		break;
	case JUDGE_SPARE:
		log_at(LOG_WARNING, NULL, "%s is a customer's address and not banned: %s; %s",
		       ban_text(&net, text), sentence.reason, sentence.evidence);
		break;
	case JUDGE_BAN:
		if (!is_shorter(before, &sentence, now))
			carry_out(s, e, &sentence);
		break;
	}
}

static void on_login_failed(void *ctx, const struct event *e)
{
	judge(ctx, e);
}

/* ---- the socket ---- */

static void on_datagram(struct sentry *s, struct str datagram)
{
	struct event e;

	if (event_parse(datagram, &e) < 0) {
		if (!s->is_warned)
			log_at(LOG_WARNING, NULL,
			       "a security event that cannot be read; no more "
			       "of this in the log");
		s->is_warned = true;
		return;
	}
	if (e.kind == EVENT_CONFIG_CHANGED)
		s->on_change(s->ctx);
	else
		judge(s, &e);
}

/* Whom the kernel says it is from: root, ourselves, or the switch. */
static bool is_from_switch(const struct sentry *s, struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct ucred who;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS)
			continue;
		memcpy(&who, CMSG_DATA(c), sizeof(who));
		return who.uid == 0 || who.uid == geteuid() || who.uid == s->sender;
	}
	return false;
}

static bool receive(struct sentry *s)
{
	char room[EVENT_BYTES_MAX + 1];
	union {
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control;
	struct iovec v = { .iov_base = room, .iov_len = sizeof(room) };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(s->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return false;
	if (is_from_switch(s, &m))
		on_datagram(s, str_n(room, (size_t)n));
	return true;
}

static int on_ready(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct sentry *s = ctx;
	int n = 0;

	(void)source;
	(void)fd;
	(void)events;
	while (n++ < TURN_MAX && receive(s))
		continue;
	return 0;
}

/* ---- opening ---- */

static int bind_to(struct sentry *s, const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int one = 1, room = SOCKET_ROOM;

	if (str_copy(a.sun_path, sizeof(a.sun_path), str_of(path)) < 0)
		return -ENAMETOOLONG;
	s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return -errno;
	if (setsockopt(s->fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) < 0 ||
	    fchmod(s->fd, SOCKET_MODE) < 0)
		return -errno;
	(void)setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	(void)unlink(path); /* of a daemon that died: two cannot load the same firewall anyway */
	if (bind(s->fd, (const struct sockaddr *)(const void *)&a, sizeof(a)) < 0)
		return -errno;
	return sock_open_to_group(path, SOCKET_GROUP);
}

static int listen_at(struct sentry *s, sd_event *ev, const char *path, struct err *err)
{
	const struct passwd *user = getpwnam(SENDER_USER);
	int r = bind_to(s, path);

	if (r < 0)
		return err_set(err, ERR_BAD_VALUE, "--security", str_of(path),
			       "a path in a folder that switch-lockoutd may write in",
			       "cannot listen for security events: %s", strerror(-r));
	s->path = str_dup(str_of(path));
	s->sender = user ? user->pw_uid : 0;
	if (!s->path)
		return -ENOMEM;
	r = sd_event_add_io(ev, &s->source, s->fd, EPOLLIN, on_ready, s);
	return r < 0 ? r : 0;
}

int sentry_open(struct sentry **ret, sd_event *ev, const char *path, struct guard *g,
		sentry_fn *on_change, void *ctx, struct err *err)
{
	CLEANUP(sentry_close) struct sentry *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->fd = -1;
	s->guard = g;
	s->on_change = on_change;
	s->ctx = ctx;
	r = listen_at(s, ev, path, err);
	if (r < 0)
		return r;
	r = journal_open(&s->journal, ev, on_login_failed, s);
	if (r < 0)
		log_at(LOG_WARNING, NULL,
		       "failed logins by SSH are not seen, the journal cannot "
		       "be read: %s",
		       strerror(-r));
	*ret = TAKE(s);
	return 0;
}

struct sentry *sentry_close(struct sentry *s)
{
	if (!s)
		return NULL;
	s->journal = journal_close(s->journal);
	sd_event_source_disable_unref(s->source);
	if (s->fd >= 0)
		(void)close(s->fd);
	if (s->path)
		(void)unlink(s->path);
	free(s->path);
	free(s);
	return NULL;
}
