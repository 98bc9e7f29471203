#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "call/report.h"
#include "ops/inner.h"

/*
 * Honeypot ports: TCP ports that nobody has a reason to connect to. Whoever does has made a connection, which no forged address can,
 * and is told to switch-lockoutd; he is sent nothing and let go. switch-lockoutd opens the same ports in its firewall.
 */

enum { DECOYS_MAX = 16, QUEUE = 64, TURN_MAX = 64 };

struct decoy {
	struct ops *ops;
	int fd;
	uint16_t port;
	sd_event_source *source;
};

struct decoys {
	char *ports; /* as the parameter says it */
	struct decoy decoy[DECOYS_MAX];
	int count;
};

int decoys_check(enum param id, struct str text, struct err *err)
{
	struct str rest = text, one;
	struct cidr net;
	int n = 0;

	while (id == PARAM_SS_LOCKOUT_HONEYPOT_PORTS && str_split(&rest, ',', &one))
		n++;
	if (n > DECOYS_MAX)
		return err_set(err, ERR_BAD_VALUE, "value", text, "at most 16 ports",
			       "these are too many ports");
	while (id == PARAM_SS_LOCKOUT_IGNORE_IP && str_split(&rest, ',', &one)) {
		if (cidr_parse(str_trim(one), &net) < 0)
			return err_set(err, ERR_BAD_VALUE, "value", one,
				       "addresses and networks, such as 192.0.2.7, 198.51.100.0/24",
				       "this is neither an address nor a network");
	}
	return 0;
}

/* ---- who comes ---- */

static void tell(const struct decoy *d, const struct addr *from)
{
	const struct flow flow = { .proto = PROTO_TCP, .peer = *from };
	char text[32];
	struct buf detail = buf_fixed(text, sizeof(text));

	buf_printf(&detail, "port %u", d->port);
	report_honeypot(d->ops->report, &flow, false, STR(""), buf_str(&detail), clock_mono_ms());
}

static int on_ready(sd_event_source *s, int fd, uint32_t events, void *ctx)
{
	const struct decoy *d = ctx;

	(void)s;
	(void)events;
	for (int i = 0; i < TURN_MAX; i++) {
		struct sockaddr_storage sa;
		socklen_t n = sizeof(sa);
		struct addr from;
		int got = accept4(fd, (struct sockaddr *)&sa, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (got < 0)
			break;
		(void)close(got);
		if (addr_from_sa((struct sockaddr *)&sa, n, &from) == 0)
			tell(d, &from);
	}
	return 0;
}

/* ---- where ---- */

/* Both families by one socket; a machine without IPv6 has the other. */
static int bind_any(int fd, int family, uint16_t port)
{
	const struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	const struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
	int one = 1, zero = 0;
	bool is_v6 = family == AF_INET6;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (is_v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero)) < 0)
		return -errno;
	if (bind(fd, is_v6 ? (const struct sockaddr *)&six : (const struct sockaddr *)&four,
		 is_v6 ? sizeof(six) : sizeof(four)) < 0)
		return -errno;
	return listen(fd, QUEUE) < 0 ? -errno : 0;
}

static int listen_at(uint16_t port, int *ret)
{
	int family = AF_INET6;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		family = AF_INET;
		fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	}
	if (fd < 0)
		return -errno;

	int r = bind_any(fd, family, port);

	if (r < 0)
		(void)close(fd);
	else
		*ret = fd;
	return r;
}

static void open_one(struct ops *o, struct str text)
{
	struct decoy *d = &o->decoys->decoy[o->decoys->count];
	uint32_t port;
	int r = str_to_u32(str_trim(text), UINT16_MAX, &port);

	if (r < 0)
		return;
	*d = (struct decoy){ .ops = o, .port = (uint16_t)port };
	r = listen_at(d->port, &d->fd);
	if (r == 0) {
		r = sd_event_add_io(o->c.event, &d->source, d->fd, EPOLLIN, on_ready, d);
		if (r < 0)
			(void)close(d->fd);
	}
	if (r < 0)
		log_at(LOG_WARNING, NULL, "honeypot port %u: %s", port, strerror(-r));
	else
		o->decoys->count++;
}

static void close_all(struct decoys *d)
{
	while (d->count > 0) {
		struct decoy *last = &d->decoy[--d->count];

		sd_event_source_disable_unref(last->source);
		(void)close(last->fd);
	}
}

void decoys_look(struct ops *o)
{
	struct str wanted =
		param_str(catalog_world(o->catalog)->params, PARAM_SS_LOCKOUT_HONEYPOT_PORTS);
	struct str rest = wanted, one;

	if (!o->decoys && str_is_empty(wanted))
		return;
	if (!o->decoys)
		o->decoys = calloc(1, sizeof(*o->decoys));
	if (!o->decoys || str_eq(str_of(o->decoys->ports), wanted))
		return;
	close_all(o->decoys);
	free(o->decoys->ports);
	o->decoys->ports = str_dup(wanted);
	while (o->decoys->count < DECOYS_MAX && str_split(&rest, ',', &one))
		open_one(o, one);
}

void decoys_close(struct ops *o)
{
	if (!o->decoys)
		return;
	close_all(o->decoys);
	free(o->decoys->ports);
	free(o->decoys);
	o->decoys = NULL;
}
