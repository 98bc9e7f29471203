#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "media/inner.h"

/* A port of ours that somebody else has bound is passed over; so often, then the host is full. */
enum { BIND_TRIES = 8 };

static int open_socket(const struct addr *host, uint16_t port)
{
	struct addr a = *host;
	int fd = socket(a.sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	addr_set_port(&a, port);
	if (bind(fd, &a.sa, addr_len(&a)) < 0) {
		int e = -errno;

		(void)close(fd);
		return e;
	}
	return fd;
}

static int open_pair(struct relay *r, enum side s, const struct addr *host, uint16_t port)
{
	int rtp = open_socket(host, port), rtcp = rtp < 0 ? rtp : open_socket(host, port + 1);

	if (rtcp < 0) {
		if (rtp >= 0)
			(void)close(rtp);
		return rtcp;
	}
	r->rtp[s].event.fd = rtp;
	r->rtcp[s].event.fd = rtcp;
	r->local[s] = *host;
	addr_set_port(&r->local[s], port);
	return 0;
}

static int take_on(struct relay *r, enum side s, const struct addr *host, struct ports *ports)
{
	ms_t now = clock_mono_ms();

	for (int i = 0; i < BIND_TRIES; i++) {
		uint16_t port = ports_take(ports, now);
		int e = port ? open_pair(r, s, host, port) : -EADDRNOTAVAIL;

		if (e == 0) {
			r->ports[s] = ports;
			return 0;
		}
		if (port)
			ports_give(ports, port, now);
		if (e != -EADDRINUSE)
			return e;
	}
	return -EADDRNOTAVAIL;
}

static bool has_family(const struct media *m, bool is_v6)
{
	for (int h = 0; h < m->hosts; h++) {
		if (addr_is_v6(&m->host[h]) == is_v6)
			return true;
	}
	return false;
}

int pair_take(struct relay *r, enum side s, bool is_v6)
{
	struct media *m = r->line->media;
	bool is_any = !has_family(m, is_v6);
	int e = -EADDRNOTAVAIL;

	for (int h = 0; h < m->hosts && e == -EADDRNOTAVAIL; h++) {
		if (is_any || addr_is_v6(&m->host[h]) == is_v6)
			e = take_on(r, s, &m->host[h], m->ports[h]);
	}
	return e;
}

void pair_give(struct relay *r, enum side s)
{
	if (!r->ports[s])
		return;
	(void)close(r->rtp[s].event.fd);
	(void)close(r->rtcp[s].event.fd);
	ports_give(r->ports[s], addr_port(&r->local[s]), clock_mono_ms());
	r->ports[s] = NULL;
}
