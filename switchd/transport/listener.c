#include "transport/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

static const char ACCEPTED[] = "udp:ADDRESS:PORT, tcp:ADDRESS:PORT or tls:ADDRESS:PORT, such as "
			       "udp:192.0.2.1:5060 or tls:[2001:db8::1]:5061";

static int proto_find(struct str name, enum proto *ret)
{
	for (int p = 0; p < PROTO_COUNT; p++) {
		if (str_eq(name, str_of(proto_name((enum proto)p)))) {
			*ret = (enum proto)p;
			return 0;
		}
	}
	return -EINVAL;
}

/* A port that depends on the default was not given. */
static int read_address(struct str text, struct listen_spec *s)
{
	uint16_t port = proto_port(s->proto);
	struct addr other;
	int r = addr_parse(text, port, &s->addr);

	if (r == 0)
		r = addr_parse(text, port + 1, &other);
	s->is_bare = r == 0 && addr_port(&other) != addr_port(&s->addr);
	return r;
}

int listen_spec_parse(struct str text, struct listen_spec *ret, struct err *err)
{
	ptrdiff_t colon = str_chr(text, ':');
	struct listen_spec s = { 0 };

	if (colon < 0 || proto_find(str_head(text, (size_t)colon), &s.proto) < 0)
		return err_set(err, ERR_BAD_VALUE, "listen", text, ACCEPTED,
			       "a listening address begins with its protocol");
	if (read_address(str_skip(text, (size_t)colon + 1), &s) < 0 || addr_is_multicast(&s.addr))
		return err_set(err, ERR_BAD_VALUE, "listen", text, ACCEPTED,
			       "no address to listen on follows the protocol");
	*ret = s;
	return 0;
}

static int set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int make_socket(const struct listen_spec *s, int type)
{
	int fd = socket(s->addr.sa.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	/* One family a socket, so that an IPv4 peer never shows up as an IPv6 address. */
	if (addr_is_v6(&s->addr))
		(void)set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	/* Connections of the process before us that still wait for late packets do not block us. */
	if (type == SOCK_STREAM)
		(void)set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	return fd;
}

static int bind_to(int fd, const struct addr *a)
{
	return bind(fd, &a->sa, addr_len(a)) < 0 ? -errno : 0;
}

/* Is the address free? A socket of UDP is found by bind, one of TCP by bind or listen. */
static int probe_address(const struct listen_spec *s, int type)
{
	int fd = make_socket(s, type);

	if (fd < 0)
		return fd;

	int r = bind_to(fd, &s->addr);

	if (r == 0 && type == SOCK_STREAM && listen(fd, 1) < 0)
		r = -errno;
	(void)close(fd);
	return r;
}

/* As much as the kernel allows (net.core.rmem_max, wmem_max): bursts wait there, not on the wire. */
static int ask_for_buffers(int fd)
{
	int got = 0;
	socklen_t n = sizeof(got);

	(void)set_option(fd, SOL_SOCKET, SO_RCVBUF, TRANSPORT_BUFFER_BYTES);
	(void)set_option(fd, SOL_SOCKET, SO_SNDBUF, TRANSPORT_BUFFER_BYTES);
	(void)getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &n);
	return got / 2; /* the kernel tells double, as it counts its own overhead */
}

static int open_socket(struct listener *l, const struct listen_spec *s, int type)
{
	struct sockaddr_storage bound;
	socklen_t n = sizeof(bound);
	int r = make_socket(s, type);

	if (r < 0)
		return r;
	l->fd = r;
	r = set_option(l->fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (r == 0)
		r = bind_to(l->fd, &s->addr);
	if (r < 0)
		return r;
	if (type == SOCK_STREAM && listen(l->fd, BACKLOG) < 0)
		return -errno;
	if (type == SOCK_DGRAM)
		l->buffer_bytes = ask_for_buffers(l->fd);
	if (getsockname(l->fd, (struct sockaddr *)&bound, &n) < 0)
		return -errno;
	return addr_from_sa((struct sockaddr *)&bound, n, &l->addr);
}

int listener_open(struct listener *l, const struct listen_spec *spec, bool probe, struct err *err)
{
	int type = proto_is_stream(spec->proto) ? SOCK_STREAM : SOCK_DGRAM;
	int r = probe ? probe_address(spec, type) : 0;
	char text[ADDR_TEXT];

	*l = (struct listener){ .proto = spec->proto, .fd = -1 };
	if (r == 0)
		r = open_socket(l, spec, type);
	if (r == 0)
		return 0;

	listener_close(l);
	(void)err_set(err, ERR_BAD_VALUE, "listen", str_of(addr_text(&spec->addr, text)), ACCEPTED,
		      "cannot listen on %s:%s: %s", proto_name(spec->proto), text, strerror(-r));
	return r;
}

void listener_close(struct listener *l)
{
	if (l->fd >= 0)
		(void)close(l->fd);
	l->fd = -1;
}
