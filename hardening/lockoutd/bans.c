#include "bans.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct bans {
	struct htab by_net;
	struct list active, past; /* oldest first */
	size_t active_count, past_count, max;
	struct wheel wheel;
	bans_fn *on_end;
	void *ctx;
};

static const char *const cause_names[] = {
#define CAUSE_NAME(id, name) [CAUSE_##id] = (name),
	CAUSES(CAUSE_NAME)
#undef CAUSE_NAME
};

const char *cause_name(enum cause c)
{
	return cause_names[c];
}

enum cause cause_find(struct str name)
{
	int c = 0;

	while (c < CAUSE_COUNT && !str_eq(name, str_of(cause_names[c])))
		c++;
	return (enum cause)c;
}

const char *ban_text(const struct cidr *net, char out[ADDR_TEXT])
{
	char host[ADDR_TEXT];
	struct buf b = buf_fixed(out, ADDR_TEXT);

	buf_putz(&b, addr_host_text(&net->net, host));
	if (addr_is_v6(&net->net) || ban_is_wide(net))
		buf_printf(&b, "/%u", net->bits);
	return buf_cstr(&b);
}

static uint64_t hash_of(const struct cidr *net)
{
	uint8_t key[16];
	size_t n = addr_bytes(&net->net, key);

	return htab_hash(str_n(key, n));
}

static void leave(struct ban *b)
{
	if (b->is_active)
		b->home->active_count--;
	else
		b->home->past_count--;
	list_del(&b->age);
	timer_stop(&b->timer);
}

static void forget(struct ban *b)
{
	leave(b);
	htab_del(&b->home->by_net, &b->node);
	free(b);
}

/* Becomes a memory, behind all others. */
static void remember(struct ban *b, ms_t until)
{
	struct bans *home = b->home;

	leave(b);
	b->is_active = false;
	b->until = until;
	list_add_tail(&home->past, &b->age);
	timer_start(&home->wheel, &b->timer, until);
	if (++home->past_count > home->max)
		forget(CONTAINER(home->past.next, struct ban, age));
}

static void on_due(struct timer *t, int64_t now)
{
	struct ban *b = CONTAINER(t, struct ban, timer);

	if (!b->is_active) {
		forget(b);
		return;
	}
	remember(b, now + REMEMBER_MS);
	b->home->on_end(b->home->ctx, b, false);
}

struct ban *bans_find(const struct bans *b, const struct cidr *net)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &b->by_net, hash_of(net))
	{
		struct ban *x = CONTAINER(it, struct ban, node);

		if (addr_eq_host(&x->terms.net.net, &net->net) && x->terms.net.bits == net->bits)
			return x;
	}
	return NULL;
}

const struct ban *bans_covering(const struct bans *b, const struct cidr *net)
{
	struct cidr wider = *net;

	while (ban_widen(&wider)) {
		const struct ban *x = bans_find(b, &wider);

		if (x && x->is_active)
			return x;
	}
	return NULL;
}

static struct ban *add(struct bans *b, const struct cidr *net)
{
	struct ban *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->home = b;
	list_init(&x->age);
	timer_init(&x->timer, on_due);
	htab_add(&b->by_net, &x->node, hash_of(net));
	b->past_count++; /* until its place is known */
	return x;
}

static void make_room(struct bans *b, ms_t now)
{
	struct ban *oldest = CONTAINER(b->active.next, struct ban, age);

	if (b->active_count <= b->max)
		return;
	remember(oldest, now + REMEMBER_MS);
	b->on_end(b->ctx, oldest, true);
}

int bans_put(struct bans *b, const struct terms *t, ms_t now, struct ban **ret)
{
	struct ban *x = bans_find(b, &t->net);

	if (!x)
		x = add(b, &t->net);
	if (!x)
		return -ENOMEM;
	leave(x);
	x->terms = *t;
	x->is_active = true;
	x->until = now + t->ms;
	x->packets = 0;
	list_add_tail(&b->active, &x->age);
	timer_start(&b->wheel, &x->timer, x->until);
	b->active_count++;
	make_room(b, now);
	*ret = x;
	return 0;
}

int bans_remember(struct bans *b, const struct terms *t, ms_t until)
{
	struct ban *x = bans_find(b, &t->net);

	if (!x)
		x = add(b, &t->net);
	if (!x)
		return -ENOMEM;
	x->terms = *t;
	remember(x, until);
	return 0;
}

void bans_end(struct ban *b, ms_t now, bool is_forgotten)
{
	if (is_forgotten)
		forget(b);
	else
		remember(b, now + REMEMBER_MS);
}

void bans_advance(struct bans *b, ms_t now)
{
	wheel_advance(&b->wheel, now);
}

size_t bans_count(const struct bans *b)
{
	return b->active_count;
}

size_t bans_memories(const struct bans *b)
{
	return b->past_count;
}

struct ban *bans_next(struct bans *b, bool is_active, const struct ban *after)
{
	struct list *head = is_active ? &b->active : &b->past;
	struct list *next = after ? after->age.next : head->next;

	return next == head ? NULL : CONTAINER(next, struct ban, age);
}

const struct ban *bans_prev(const struct bans *b, const struct ban *before)
{
	struct list *prev = before ? before->age.prev : b->active.prev;

	return prev == &b->active ? NULL : CONTAINER(prev, struct ban, age);
}

int bans_create(struct bans **ret, size_t max, ms_t now, bans_fn *on_end, void *ctx)
{
	struct bans *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	if (htab_init(&b->by_net, 0) < 0) {
		free(b);
		return -ENOMEM;
	}
	list_init(&b->active);
	list_init(&b->past);
	wheel_init(&b->wheel, now);
	b->max = max;
	b->on_end = on_end;
	b->ctx = ctx;
	*ret = b;
	return 0;
}

struct bans *bans_free(struct bans *b)
{
	struct list *it, *tmp;

	if (!b)
		return NULL;
	LIST_EACH (it, tmp, &b->active)
		free(CONTAINER(it, struct ban, age));
	LIST_EACH (it, tmp, &b->past)
		free(CONTAINER(it, struct ban, age));
	htab_done(&b->by_net);
	free(b);
	return NULL;
}
