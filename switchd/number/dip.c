#include "number/dip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/rand.h"
#include "vendor/dns_tcp.h"

enum { SERVERS = 8, ROUNDS = 2 };

struct dip {
	struct loop *loop;
	dip_fn *on_done;
	void *ctx;
	struct event event;
	struct dns_tcp *tcp; /* while the server is asked again by it */
	struct timer timer;
	struct naptr_question question;
	struct addr server[SERVERS];
	bool has_failed[SERVERS];
	int servers, asked;
	int64_t gap_ms, deadline_ms;
	int chain; /* domains that records have led to */
	/* What holds if the last of these leads nowhere. */
	int fallback;
	char fallback_digits[PORTED_DIGITS + 1];
};

static void done(struct dip *d, int result, const char *digits)
{
	timer_stop(&d->timer);
	loop_del(d->loop, &d->event);
	d->tcp = dns_tcp_free(d->tcp);
	d->on_done(d->ctx, result, digits);
}

/* The server that was asked last. */
static int place(const struct dip *d)
{
	return (d->asked + d->servers - 1) % d->servers;
}

static bool send_to(struct dip *d, const struct addr *to)
{
	/* A socket that is connected hears nobody else, and that nobody listens there. */
	return connect(d->event.fd, &to->sa, addr_len(to)) == 0 &&
	       send(d->event.fd, d->question.bytes, d->question.n, MSG_DONTWAIT) >= 0;
}

/* Of the servers the next one that has not failed; false if all have. */
static bool send_next(struct dip *d)
{
	d->tcp = dns_tcp_free(d->tcp);
	for (int i = 0; i < d->servers; i++) {
		int at = d->asked++ % d->servers;

		if (d->has_failed[at])
			continue;
		if (send_to(d, &d->server[at]))
			return true;
		d->has_failed[at] = true;
	}
	return false;
}

static void on_timer(struct timer *t, int64_t now_ms)
{
	struct dip *d = CONTAINER(t, struct dip, timer);

	if (now_ms >= d->deadline_ms || !send_next(d)) {
		done(d, -ETIMEDOUT, "");
		return;
	}
	timer_start(&d->loop->wheel, &d->timer, now_ms + d->gap_ms);
}

/* This server knows nothing: the next one, now. */
static void fail_over(struct dip *d, int result)
{
	d->has_failed[place(d)] = true;
	if (!send_next(d))
		done(d, result, "");
}

/* ---- answers ---- */

/* The server that led there is asked first. */
static void follow(struct dip *d, const struct naptr_answer *a, int result)
{
	if (++d->chain > DIP_CHAIN) {
		done(d, -ELOOP, "");
		return;
	}
	d->fallback = result;
	memcpy(d->fallback_digits, a->digits, sizeof(d->fallback_digits));
	naptr_follow(&d->question, a, (uint16_t)rand_u64());
	d->asked = place(d);
	if (!send_next(d))
		done(d, -ENETUNREACH, "");
}

/* A domain without records: a number that is not known, but only where no record led there. */
static void heard_nothing(struct dip *d, int result)
{
	if (d->chain > 0)
		done(d, d->fallback, d->fallback_digits);
	else
		done(d, result == -ENODATA ? 0 : result, "");
}

static void on_tcp(void *ctx, int error, const uint8_t *bytes, size_t n);

static void ask_by_tcp(struct dip *d)
{
	if (dns_tcp_create(&d->tcp, d->loop, &d->server[place(d)], d->question.bytes, d->question.n,
			   on_tcp, d) < 0)
		fail_over(d, -EMSGSIZE);
}

static void heard(struct dip *d, int r, const struct naptr_answer *a)
{
	if (r == -EAGAIN)
		fail_over(d, r);
	else if (a->next_n > 0)
		follow(d, a, r);
	else if (r == -ENODATA || r == -ENOENT)
		heard_nothing(d, r);
	else
		done(d, r, a->digits);
}

static void on_tcp(void *ctx, int error, const uint8_t *bytes, size_t n)
{
	struct dip *d = ctx;
	struct naptr_answer a;
	int r = error ? -EMSGSIZE : naptr_read(&d->question, bytes, n, &a);

	if (error == -EFBIG)
		done(d, error, "");
	else if (error || r == -EPROTO || r == -EMSGSIZE)
		fail_over(d, -EMSGSIZE);
	else
		heard(d, r, &a);
}

static void on_ready(struct event *e, uint32_t epoll_events)
{
	struct dip *d = CONTAINER(e, struct dip, event);
	uint8_t bytes[NAPTR_ANSWER_BYTES];
	ssize_t n = recv(e->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	struct naptr_answer a;
	int r;

	(void)epoll_events;
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			fail_over(d, -errno);
		return;
	}
	if (d->tcp) /* said twice: it is asked by TCP already */
		return;
	r = naptr_read(&d->question, bytes, (size_t)n, &a);
	if (r == -EMSGSIZE)
		ask_by_tcp(d);
	else if (r != -EPROTO)
		heard(d, r, &a);
}

/* All of them of the family of the first: one socket asks them. */
static void take_servers(struct dip *d, const struct dip_order *o)
{
	for (int i = 0; i < o->servers && d->servers < SERVERS; i++) {
		if (addr_is_v6(&o->server[i]) == addr_is_v6(&o->server[0]))
			d->server[d->servers++] = o->server[i];
	}
}

static int open_socket(struct dip *d)
{
	int fd = socket(d->server[0].sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : loop_add(d->loop, &d->event, fd, EPOLLIN, on_ready);
}

int dip_create(struct dip **ret, struct loop *loop, const struct dip_order *o)
{
	struct dip *d = calloc(1, sizeof(*d));
	int r = d ? 0 : -ENOMEM;

	if (r < 0)
		return r;
	d->loop = loop;
	d->on_done = o->on_done;
	d->ctx = o->ctx;
	timer_init(&d->timer, on_timer);
	take_servers(d, o);
	if (d->servers == 0)
		r = -ENETUNREACH;
	if (r == 0)
		r = naptr_ask(&d->question, o->number, o->zone, (uint16_t)rand_u64());
	if (r == 0)
		r = open_socket(d);
	if (r == 0 && !send_next(d))
		r = -ENETUNREACH;
	if (r < 0) {
		d = dip_free(d);
		return r;
	}
	d->gap_ms = o->time_ms / (ROUNDS * d->servers);
	d->deadline_ms = loop->now_ms + o->time_ms;
	timer_start(&loop->wheel, &d->timer, loop->now_ms + d->gap_ms);
	*ret = d;
	return 0;
}

struct dip *dip_free(struct dip *d)
{
	if (!d)
		return NULL;
	timer_stop(&d->timer);
	dns_tcp_free(d->tcp);
	if (d->event.fd > 0) {
		loop_del(d->loop, &d->event);
		(void)close(d->event.fd);
	}
	free(d);
	return NULL;
}
