#include "vendor/resolver.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <resolv.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"

/*
 * A question is asked ASKS times of each server, each time for a second longer, so that nobody who stops the switch waits for it; then
 * it comes again after AGAIN_MS, or the interval if that is shorter; sooner while nothing is known, as when the machine starts.
 */
enum { ASKS = 2, AGAIN_MS = 15000, AT_FIRST_MS = 2000 };

struct name {
	struct list node;
	char host[DNS_NAME_MAX + 1];
	uint16_t port;
	enum proto proto;
	struct dns_answer answer; /* the last good one; count 0: none yet */
	int error;                /* of the last look-up; 0: it was good, or there was none */
	ms_t failing_since;       /* wall time */
	ms_t due;                 /* monotonic; of the next look-up */
	uint32_t round;           /* of the last world that asked for it */
	bool is_asked;            /* the thread looks it up now */
};

struct resolver {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct list names;
	int fd;
	struct addr server; /* not set: resolv.conf's */
	bool with_v6, is_running;
	atomic_bool is_stopping;
	int64_t interval_ms;
	uint32_t round;
};

/* ---- asking ---- */

struct asking {
	const struct resolver *resolver;
	struct __res_state state;
};

static int ask(void *ctx, const char *name, enum dns_type type, uint8_t *out, int size)
{
	struct asking *a = ctx;

	for (int i = 1; i <= ASKS && !atomic_load(&a->resolver->is_stopping); i++) {
		a->state.retry = 1;
		a->state.retrans = i;

		int n = res_nquery(&a->state, name, ns_c_in, (int)type, out, size);

		if (n >= 0)
			return n;
		if (a->state.res_h_errno == HOST_NOT_FOUND || a->state.res_h_errno == NO_DATA)
			return -ENOENT;
		if (a->state.res_h_errno != TRY_AGAIN)
			break;
	}
	return -EAGAIN;
}

static int locate(const struct resolver *r, const struct name *n, struct dns_answer *ret)
{
	struct dns_place place = {
		.host = n->host, .port = n->port, .proto = n->proto, .with_v6 = r->with_v6
	};
	struct asking a = { .resolver = r };
	int e;

	if (res_ninit(&a.state) < 0)
		return -EAGAIN;
	if (addr_is_set(&r->server)) {
		a.state.nscount = 1;
		a.state.nsaddr_list[0] = r->server.in;
	}
	e = dns_locate(&place, ask, &a, ret);
	res_nclose(&a.state);
	return e;
}

/* ---- the thread ---- */

static struct name *first_due(struct resolver *r, ms_t now, ms_t *ret_next)
{
	struct list *it, *tmp;

	*ret_next = 0;
	LIST_EACH (it, tmp, &r->names) {
		struct name *n = CONTAINER(it, struct name, node);

		if (n->due <= now)
			return n;
		if (*ret_next == 0 || n->due < *ret_next)
			*ret_next = n->due;
	}
	return NULL;
}

static void wait_until(struct resolver *r, ms_t next)
{
	struct timespec at = { .tv_sec = next / SECOND_MS, .tv_nsec = next % SECOND_MS * 1000000 };

	if (next)
		(void)pthread_cond_timedwait(&r->wake, &r->lock, &at);
	else
		(void)pthread_cond_wait(&r->wake, &r->lock);
}

static void take_answer(struct resolver *r, struct name *n, int error, const struct dns_answer *a)
{
	bool is_news = error != n->error;
	ms_t wait = r->interval_ms;

	if (error && !n->error)
		n->failing_since = clock_wall_ms();
	n->error = error;
	if (error && wait > AGAIN_MS)
		wait = n->answer.count ? AGAIN_MS : AT_FIRST_MS;
	n->due = clock_mono_ms() + wait;
	if (error == 0 && !dns_answer_eq(&n->answer, a)) {
		n->answer = *a;
		is_news = true;
	}
	if (is_news)
		(void)eventfd_write(r->fd, 1);
}

static void *run(void *arg)
{
	struct resolver *r = arg;
	ms_t next;

	(void)pthread_mutex_lock(&r->lock);
	while (!atomic_load(&r->is_stopping)) {
		struct name *n = first_due(r, clock_mono_ms(), &next);
		struct dns_answer a;

		if (!n) {
			wait_until(r, next);
			continue;
		}
		n->is_asked = true;
		(void)pthread_mutex_unlock(&r->lock);

		int e = locate(r, n, &a); /* its question never changes */

		(void)pthread_mutex_lock(&r->lock);
		n->is_asked = false;
		take_answer(r, n, e, &a);
	}
	(void)pthread_mutex_unlock(&r->lock);
	return NULL;
}

/* ---- from outside ---- */

int resolver_fd(const struct resolver *r)
{
	return r->fd;
}

void resolver_see(struct resolver *r)
{
	eventfd_t n;

	(void)eventfd_read(r->fd, &n);
}

void resolver_set_interval(struct resolver *r, int64_t seconds)
{
	struct list *it, *tmp;

	(void)pthread_mutex_lock(&r->lock);
	if (r->interval_ms != seconds * SECOND_MS) {
		r->interval_ms = seconds * SECOND_MS;
		LIST_EACH (it, tmp, &r->names)
			CONTAINER(it, struct name, node)->due = 0;
		(void)pthread_cond_signal(&r->wake);
	}
	(void)pthread_mutex_unlock(&r->lock);
}

static struct name *find(struct resolver *r, struct str host, uint16_t port, enum proto proto)
{
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &r->names) {
		struct name *n = CONTAINER(it, struct name, node);

		if (n->port == port && n->proto == proto && str_ieq(str_of(n->host), host))
			return n;
	}
	return NULL;
}

static struct name *add(struct resolver *r, struct str host, uint16_t port, enum proto proto)
{
	struct name *n = calloc(1, sizeof(*n));

	if (!n || str_copy(n->host, sizeof(n->host), host) < 0) {
		free(n);
		return NULL;
	}
	n->port = port;
	n->proto = proto;
	list_init(&n->node);
	list_add_tail(&r->names, &n->node);
	(void)pthread_cond_signal(&r->wake);
	return n;
}

bool resolver_find(struct resolver *r, struct str host, uint16_t port, enum proto proto,
		   struct dns_answer *ret)
{
	struct name *n;

	ret->count = 0;
	(void)pthread_mutex_lock(&r->lock);
	n = find(r, host, port, proto);
	if (!n)
		n = add(r, host, port, proto);
	if (n) {
		n->round = r->round;
		*ret = n->answer;
	}
	(void)pthread_mutex_unlock(&r->lock);
	return ret->count > 0;
}

void resolver_begin(struct resolver *r)
{
	(void)pthread_mutex_lock(&r->lock);
	r->round++;
	(void)pthread_mutex_unlock(&r->lock);
}

void resolver_end(struct resolver *r)
{
	struct list *it, *tmp;

	(void)pthread_mutex_lock(&r->lock);
	LIST_EACH (it, tmp, &r->names) {
		struct name *n = CONTAINER(it, struct name, node);

		if (n->round == r->round || n->is_asked)
			continue;
		list_del(&n->node);
		free(n);
	}
	(void)pthread_mutex_unlock(&r->lock);
}

void resolver_each_failing(struct resolver *r, resolver_fn *on_failing, void *ctx)
{
	struct list *it, *tmp;

	(void)pthread_mutex_lock(&r->lock);
	LIST_EACH (it, tmp, &r->names) {
		const struct name *n = CONTAINER(it, struct name, node);

		if (n->error)
			on_failing(ctx, n->host, n->error, n->failing_since, n->answer.count > 0);
	}
	(void)pthread_mutex_unlock(&r->lock);
}

static int start(struct resolver *r)
{
	pthread_condattr_t attr;
	int e = pthread_mutex_init(&r->lock, NULL);

	if (e == 0)
		e = pthread_condattr_init(&attr);
	if (e == 0)
		e = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (e == 0)
		e = pthread_cond_init(&r->wake, &attr);
	if (e == 0)
		e = pthread_create(&r->thread, NULL, run, r);
	r->is_running = e == 0;
	return -e;
}

int resolver_create(struct resolver **ret, const struct addr *server, bool with_v6)
{
	CLEANUP(resolver_free) struct resolver *r = calloc(1, sizeof(*r));
	int e;

	if (!r)
		return -ENOMEM;
	list_init(&r->names);
	r->with_v6 = with_v6;
	r->interval_ms = 600 * SECOND_MS;
	if (server)
		r->server = *server;
	r->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->fd < 0)
		return -errno;
	e = start(r);
	if (e < 0)
		return e;
	*ret = TAKE(r);
	return 0;
}

struct resolver *resolver_free(struct resolver *r)
{
	struct list *first;

	if (!r)
		return NULL;
	if (r->is_running) {
		(void)pthread_mutex_lock(&r->lock);
		atomic_store(&r->is_stopping, true);
		(void)pthread_cond_signal(&r->wake);
		(void)pthread_mutex_unlock(&r->lock);
		(void)pthread_join(r->thread, NULL);
	}
	while ((first = list_shift(&r->names)))
		free(CONTAINER(first, struct name, node));
	if (r->fd >= 0)
		(void)close(r->fd);
	free(r);
	return NULL;
}
