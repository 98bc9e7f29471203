#include "phone/keepalive.h"

#include <errno.h>
#include <stdlib.h>

#include "phone/inner.h"

enum { MESSAGE_MAX = 64 };

struct keepalive {
	struct registrar *r;
	struct timer timer;
	char text[MESSAGE_MAX];
	struct keepalive_settings s; /* message points at text */
	ms_t cycle_end;
};

static void send_one(struct keepalive *k, const struct binding *b)
{
	if (transport_send(k->r->c.transport, &b->flow, k->s.message) == 0)
		atomic_fetch_add_explicit(&k->r->c.stats->kept_alive, 1, memory_order_relaxed);
}

static void begin_cycle(struct keepalive *k, ms_t now)
{
	k->cycle_end = now + k->s.period_ms;
	k->r->bindings.cursor = k->r->bindings.nat.next;
}

static void count_skipped(struct keepalive *k)
{
	struct bindings *t = &k->r->bindings;
	uint64_t n = 0;

	for (; t->cursor != &t->nat; t->cursor = t->cursor->next)
		n++;
	atomic_fetch_add_explicit(&k->r->c.stats->not_kept, n, memory_order_relaxed);
}

static void send_batch(struct keepalive *k)
{
	struct bindings *t = &k->r->bindings;

	for (int64_t n = 0; n < k->s.batch && t->cursor != &t->nat; n++) {
		struct list *at = t->cursor;

		t->cursor = at->next;
		send_one(k, CONTAINER(at, struct binding, nat_node));
	}
}

/* Whoever registers when a cycle is through is the next one's: its REGISTER has just opened the way. */
static void on_timer(struct timer *timer, int64_t now_ms)
{
	struct keepalive *k = CONTAINER(timer, struct keepalive, timer);

	if (now_ms >= k->cycle_end) {
		count_skipped(k);
		begin_cycle(k, now_ms);
	}
	send_batch(k);

	ms_t next = now_ms + k->s.interval_ms;

	timer_start(&k->r->c.loop->wheel, timer, next < k->cycle_end ? next : k->cycle_end);
}

static bool is_same(const struct keepalive_settings *a, const struct keepalive_settings *b)
{
	return str_eq(a->message, b->message) && a->period_ms == b->period_ms &&
	       a->interval_ms == b->interval_ms && a->batch == b->batch;
}

void keepalive_set(struct keepalive *k, const struct keepalive_settings *s)
{
	ms_t now = k->r->c.loop->now_ms;

	if (is_same(&k->s, s))
		return;
	k->s = *s;
	(void)str_copy(k->text, sizeof(k->text), str_head(s->message, MESSAGE_MAX - 1));
	k->s.message = str_head(str_n(k->text, MESSAGE_MAX), s->message.n);
	timer_stop(&k->timer);
	if (s->message.n == 0)
		return;
	begin_cycle(k, now);
	timer_start(&k->r->c.loop->wheel, &k->timer, now);
}

int keepalive_create(struct keepalive **ret, struct registrar *r)
{
	struct keepalive *k = calloc(1, sizeof(*k));

	if (!k)
		return -ENOMEM;
	k->r = r;
	timer_init(&k->timer, on_timer);
	*ret = k;
	return 0;
}

struct keepalive *keepalive_free(struct keepalive *k)
{
	if (k)
		timer_stop(&k->timer);
	free(k);
	return NULL;
}
