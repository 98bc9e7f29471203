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
 * Honeypot ports: ports that nobody has a reason to go to. Whoever connects to one of TCP has made a connection, which no forged
 * address can, and is told to switch-lockoutd with that proof; he is sent nothing and let go. A packet to one of UDP proves
 * nothing, and is told so: it costs its source a minute at most (security.md F5). It is not answered either. switch-lockoutd opens
 * the same ports in its firewall, those of UDP for so few packets a second that a flood reaches nobody.
 */

enum { DECOYS_MAX = 16, QUEUE = 64, TURN_MAX = 64 };

/* 0: somebody came; negative: nobody more. */
typedef int take_fn(int fd, struct addr *ret);

static take_fn take_connection, take_packet;

/* The kinds of ports, and the parameters that name them. */
static const struct kind {
	enum param ports;
	enum proto proto;
	int type;
	take_fn *take;
} kinds[] = {
	{ PARAM_SS_LOCKOUT_HONEYPOT_PORTS, PROTO_TCP, SOCK_STREAM, take_connection },
	{ PARAM_SS_LOCKOUT_HONEYPOT_UDP_PORTS, PROTO_UDP, SOCK_DGRAM, take_packet },
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

struct decoy {
	struct ops *ops;
	const struct kind *kind;
	int fd;
	uint16_t port;
	sd_event_source *source;
};

struct decoys {
	char *wanted; /* as the parameters say it, and those of media */
	struct decoy decoy[KINDS * DECOYS_MAX];
	int count;
};

/* ---- what is wanted ---- */

static bool is_of_media(const struct params *p, uint32_t port)
{
	struct str range = param_str(p, PARAM_SS_MEDIA_PORT_RANGE), first;
	uint32_t a, b;

	return str_split(&range, ',', &first) && str_to_u32(first, UINT16_MAX, &a) == 0 &&
	       str_to_u32(str_trim(range), UINT16_MAX, &b) == 0 && port >= a && port <= b;
}

static int check_ports(const struct params *now, enum param id, struct str text, struct err *err)
{
	struct str one;
	uint32_t port;
	int n = 0;

	while (str_split(&text, ',', &one)) {
		if (++n > DECOYS_MAX)
			return err_set(err, ERR_BAD_VALUE, "value", one, "at most 16 ports",
				       "these are too many ports");
		if (id == PARAM_SS_LOCKOUT_HONEYPOT_UDP_PORTS &&
		    str_to_u32(one, UINT16_MAX, &port) == 0 && is_of_media(now, port))
			return err_set(err, ERR_BAD_VALUE, "value", one,
				       "a port outside SS_MEDIA_PORT_RANGE",
				       "media of calls come to this port");
	}
	return 0;
}

static int check_ignored(struct str text, struct err *err)
{
	struct str one;
	struct cidr net;

	while (str_split(&text, ',', &one)) {
		if (cidr_parse(one, &net) < 0)
			return err_set(err, ERR_BAD_VALUE, "value", one,
				       "addresses and networks, such as 192.0.2.7, 198.51.100.0/24",
				       "this is neither an address nor a network");
	}
	return 0;
}

int decoys_check(const struct ops *o, enum param id, struct str text, struct err *err)
{
	for (int i = 0; i < KINDS; i++) {
		if (id == kinds[i].ports)
			return check_ports(catalog_world(o->catalog)->params, id, text, err);
	}
	return id == PARAM_SS_LOCKOUT_IGNORE_IP ? check_ignored(text, err) : 0;
}

/* ---- who comes ---- */

static int take_connection(int fd, struct addr *ret)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof(sa);
	int got = accept4(fd, (struct sockaddr *)&sa, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (got < 0)
		return -errno;
	(void)close(got);
	return addr_from_sa((struct sockaddr *)&sa, n, ret);
}

static int take_packet(int fd, struct addr *ret)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof(sa);
	char first; /* what it says is kept by switch-lockoutd */

	if (recvfrom(fd, &first, sizeof(first), MSG_TRUNC, (struct sockaddr *)&sa, &n) < 0)
		return -errno;
	return addr_from_sa((struct sockaddr *)&sa, n, ret);
}

static void tell(const struct decoy *d, const struct addr *from)
{
	const struct flow flow = { .proto = (uint8_t)d->kind->proto, .peer = *from };
	char text[32];
	struct buf detail = buf_fixed(text, sizeof(text));

	buf_printf(&detail, "port %u", d->port);
	report_honeypot(d->ops->report, &flow, false, STR(""), buf_str(&detail), clock_mono_ms());
}

static int on_ready(sd_event_source *s, int fd, uint32_t events, void *ctx)
{
	const struct decoy *d = ctx;
	struct addr from;

	(void)s;
	(void)events;
	for (int i = 0; i < TURN_MAX && d->kind->take(fd, &from) == 0; i++)
		tell(d, &from);
	return 0;
}

/* ---- where ---- */

/*
 * Both families by one socket; a machine without IPv6 has the other. For UDP, SO_REUSEADDR would take packets from whoever has the
 * port already.
 */
static int bind_any(int fd, int family, const struct kind *k, uint16_t port)
{
	const struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	const struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
	int is_reused = k->type == SOCK_STREAM, zero = 0;
	bool is_v6 = family == AF_INET6;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &is_reused, sizeof(is_reused));
	if (is_v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero)) < 0)
		return -errno;
	if (bind(fd, is_v6 ? (const struct sockaddr *)&six : (const struct sockaddr *)&four,
		 is_v6 ? sizeof(six) : sizeof(four)) < 0)
		return -errno;
	return k->type == SOCK_STREAM && listen(fd, QUEUE) < 0 ? -errno : 0;
}

static int listen_at(const struct kind *k, uint16_t port, int *ret)
{
	int family = AF_INET6;
	int fd = socket(family, k->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		family = AF_INET;
		fd = socket(family, k->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	}
	if (fd < 0)
		return -errno;

	int r = bind_any(fd, family, k, port);

	if (r < 0)
		(void)close(fd);
	else
		*ret = fd;
	return r;
}

static int open_one(struct ops *o, const struct kind *k, uint16_t port)
{
	struct decoy *d = &o->decoys->decoy[o->decoys->count];
	int r;

	*d = (struct decoy){ .ops = o, .kind = k, .port = port };
	if (k->proto == PROTO_UDP && is_of_media(catalog_world(o->catalog)->params, port))
		return -EADDRINUSE;
	r = listen_at(k, port, &d->fd);
	if (r < 0)
		return r;
	r = sd_event_add_io(o->c.event, &d->source, d->fd, EPOLLIN, on_ready, d);
	if (r < 0)
		(void)close(d->fd);
	else
		o->decoys->count++;
	return r;
}

static void open_kind(struct ops *o, const struct kind *k)
{
	struct str rest = param_str(catalog_world(o->catalog)->params, k->ports), one;
	uint32_t port;

	for (int i = 0; i < DECOYS_MAX && str_split(&rest, ',', &one); i++) {
		int r = str_to_u32(one, UINT16_MAX, &port);

		if (r == 0)
			r = open_one(o, k, (uint16_t)port);
		if (r < 0)
			log_at(LOG_WARNING, NULL, "honeypot port %s %.*s: %s", proto_name(k->proto),
			       STR_ARG(one), strerror(-r));
	}
}

static void close_all(struct decoys *d)
{
	while (d->count > 0) {
		struct decoy *last = &d->decoy[--d->count];

		sd_event_source_disable_unref(last->source);
		(void)close(last->fd);
	}
}

static int put_wanted(const struct params *p, struct buf *out)
{
	for (int i = 0; i < KINDS; i++) {
		buf_put(out, param_str(p, kinds[i].ports));
		buf_putc(out, ';');
	}
	buf_put(out, param_str(p, PARAM_SS_MEDIA_PORT_RANGE));
	return buf_error(out);
}

void decoys_look(struct ops *o)
{
	CLEANUP(buf_done) struct buf wanted = BUF_INIT;

	if (put_wanted(catalog_world(o->catalog)->params, &wanted) < 0)
		return;
	if (!o->decoys)
		o->decoys = calloc(1, sizeof(*o->decoys));
	if (!o->decoys || str_eq(str_of(o->decoys->wanted), buf_str(&wanted)))
		return;
	close_all(o->decoys);
	free(o->decoys->wanted);
	o->decoys->wanted = buf_steal(&wanted);
	for (int i = 0; i < KINDS; i++)
		open_kind(o, &kinds[i]);
}

void decoys_close(struct ops *o)
{
	if (!o->decoys)
		return;
	close_all(o->decoys);
	free(o->decoys->wanted);
	free(o->decoys);
	o->decoys = NULL;
}
