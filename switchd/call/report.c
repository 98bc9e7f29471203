#include "call/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/loop.h"

enum { DATAGRAM_MAX = 1024, TEXT_MAX = 64, GOOD_SLOTS = 256 };

struct stranger {
	struct addr peer; /* not set: free */
	uint32_t count;
	bool is_stream;
};

struct good {
	uint64_t source; /* its hash */
	int64_t told_ms; /* 0: never */
};

struct report {
	int fd;
	struct sockaddr_un to;
	struct loop *loop;
	struct timer timer; /* while strangers are being counted */
	struct stranger stranger[STRANGERS_MAX];
	struct good good[GOOD_SLOTS];
	int64_t second; /* of the count below */
	unsigned sent;
};

/* ---- a datagram ---- */

/* Whatever it is, it stays within its quotes. */
static void put_text(struct buf *out, const char *name, struct str s)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (str_is_empty(s))
		return;
	buf_put_printable(&text, str_head(s, TEXT_MAX));
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\')
			text.p[i] = '?';
	}
	buf_printf(out, ",\"%s\":\"%.*s\"", name, STR_ARG(buf_str(&text)));
}

struct told {
	const char *event, *proof;
	const struct flow *from; /* NULL: about no source */
	uint32_t count;
	struct str account, detail;
};

static void put_source(struct buf *out, const struct told *t)
{
	char host[ADDR_TEXT];

	buf_printf(out, ",\"src\":\"%s\",\"sport\":%u,\"proto\":\"%s\",\"proof\":\"%s\"",
		   addr_host_text(&t->from->peer, host), addr_port(&t->from->peer),
		   proto_name((enum proto)t->from->proto), t->proof);
}

static void tell(const struct report *r, const struct told *t)
{
	char room[DATAGRAM_MAX];
	struct buf out = buf_fixed(room, sizeof(room));

	if (r->fd < 0)
		return;
	buf_printf(&out, "{\"v\":1,\"ts\":%lld,\"event\":\"%s\"", (long long)clock_wall_ms(),
		   t->event);
	if (t->from)
		put_source(&out, t);
	if (t->count > 1)
		buf_printf(&out, ",\"count\":%u", t->count);
	put_text(&out, "account", t->account);
	put_text(&out, "detail", t->detail);
	buf_putc(&out, '}');
	if (!buf_error(&out))
		(void)sendto(r->fd, room, out.n, MSG_DONTWAIT | MSG_NOSIGNAL,
			     (const struct sockaddr *)(const void *)&r->to, sizeof(r->to));
}

static bool may_tell(struct report *r, int64_t now)
{
	if (now - r->second >= SECOND_MS) {
		r->second = now;
		r->sent = 0;
	}
	return r->sent++ < REPORTS_MAX;
}

/* ---- events ---- */

/* Who answered a nonce of ours got it; over a stream the connection itself is the proof. */
static const char *proof_of(const struct flow *f, const char *otherwise)
{
	return proto_is_stream((enum proto)f->proto) ? "tcp" : otherwise;
}

void report_auth_failed(struct report *r, const struct flow *from, struct str user,
			struct str detail, int64_t now_ms)
{
	if (may_tell(r, now_ms))
		tell(r, &(struct told){ .event = "auth_failed",
					.proof = proof_of(from, "nonce"),
					.from = from,
					.account = user,
					.detail = detail });
}

void report_auth_ok(struct report *r, const struct flow *from, struct str user, int64_t now_ms)
{
	uint64_t source = addr_hash_host(&from->peer);
	struct good *g = &r->good[source % GOOD_SLOTS];

	if (g->source == source && g->told_ms && now_ms - g->told_ms < GOOD_EVERY_MS)
		return;
	if (!may_tell(r, now_ms))
		return;
	*g = (struct good){ .source = source, .told_ms = now_ms };
	tell(r, &(struct told){ .event = "auth_ok",
				.proof = proof_of(from, "nonce"),
				.from = from,
				.account = user });
}

void report_scanner(struct report *r, const struct flow *from, struct str agent, int64_t now_ms)
{
	if (may_tell(r, now_ms))
		tell(r, &(struct told){ .event = "scanner",
					.proof = proof_of(from, "none"),
					.from = from,
					.detail = agent });
}

void report_honeypot(struct report *r, const struct flow *from, bool is_proven, struct str account,
		     struct str number, int64_t now_ms)
{
	if (may_tell(r, now_ms))
		tell(r, &(struct told){ .event = "honeypot",
					.proof = proof_of(from, is_proven ? "nonce" : "none"),
					.from = from,
					.account = account,
					.detail = number });
}

void report_tcp_abuse(struct report *r, const struct flow *from, int64_t now_ms)
{
	if (may_tell(r, now_ms))
		tell(r, &(struct told){ .event = "tcp_abuse", .proof = "tcp", .from = from });
}

void report_config_changed(struct report *r)
{
	tell(r, &(struct told){ .event = "config_changed" });
}

/* ---- strangers ---- */

static void on_second(struct timer *t, int64_t now_ms)
{
	struct report *r = CONTAINER(t, struct report, timer);

	(void)now_ms;
	for (int i = 0; i < STRANGERS_MAX; i++) {
		struct stranger *s = &r->stranger[i];
		struct flow from = { .proto = s->is_stream ? PROTO_TCP : PROTO_UDP,
				     .peer = s->peer };

		if (s->count >= STRANGER_MIN)
			tell(r, &(struct told){ .event = "unknown_source",
						.proof = proof_of(&from, "none"),
						.from = &from,
						.count = s->count });
		s->count = 0;
	}
}

/* One place for each of many sources: who comes second to a place that is taken waits for its turn. */
void report_stranger(struct report *r, const struct flow *from, int64_t now_ms)
{
	struct stranger *s = &r->stranger[addr_hash_host(&from->peer) % STRANGERS_MAX];

	if (r->fd < 0 || !r->loop)
		return;
	if (s->count == 0) {
		s->peer = from->peer;
		s->is_stream = proto_is_stream((enum proto)from->proto);
	}
	if (addr_eq_host(&s->peer, &from->peer))
		s->count++;
	if (!timer_is_running(&r->timer))
		timer_start(&r->loop->wheel, &r->timer, now_ms + SECOND_MS);
}

/* ---- making ---- */

int report_create(struct report **ret, const char *path, struct loop *loop)
{
	CLEANUP(report_free) struct report *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->fd = -1;
	r->loop = loop;
	timer_init(&r->timer, on_second);
	r->to.sun_family = AF_UNIX;
	if (path && str_copy(r->to.sun_path, sizeof(r->to.sun_path), str_of(path)) < 0)
		return -ENAMETOOLONG;
	if (path)
		r->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (path && r->fd < 0)
		return -errno;
	*ret = TAKE(r);
	return 0;
}

struct report *report_free(struct report *r)
{
	if (!r)
		return NULL;
	timer_stop(&r->timer);
	if (r->fd >= 0)
		(void)close(r->fd);
	free(r);
	return NULL;
}
