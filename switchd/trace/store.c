#include "trace/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transport/field.h"

/* A Call-ID is told apart by so many of its octets; each call that is remembered stands for a kilobyte. */
enum { CALL_ID_MAX = 255, CALL_BYTES = 1024, OVERHEAD = 32, LIMBO_SHARE = 4 };
enum { LIMBO, KEPT };

/* ---- messages ---- */

static size_t cost(const struct traced *t)
{
	return sizeof(*t) + t->n + OVERHEAD;
}

static void enqueue(struct store *s, struct traced *t, bool is_kept)
{
	t->is_kept = is_kept;
	list_add_tail(&s->queue[is_kept], &t->by_age);
	s->bytes[is_kept] += cost(t);
	if (is_kept) {
		s->messages++;
		t->leg->call->messages++;
	}
}

static void dequeue(struct store *s, struct traced *t)
{
	list_del(&t->by_age);
	s->bytes[t->is_kept] -= cost(t);
	if (t->is_kept)
		t->leg->call->messages--;
}

static void forget(struct store *s, struct traced *t)
{
	dequeue(s, t);
	list_del(&t->of_leg);
	free(t);
}

static void push_out(struct store *s)
{
	size_t limbo = s->limit / LIMBO_SHARE, room[2] = { limbo, s->limit - limbo };

	for (int i = 0; i < 2; i++) {
		while (s->bytes[i] > room[i] && !list_is_empty(&s->queue[i])) {
			s->lost += i == KEPT;
			forget(s, CONTAINER(s->queue[i].next, struct traced, by_age));
		}
	}
}

/* ---- legs and calls ---- */

static struct trace_leg *find_leg(const struct store *s, struct str call_id)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &s->by_call_id, htab_hash(call_id))
	{
		struct trace_leg *l = CONTAINER(it, struct trace_leg, by_call_id);

		if (str_eq(str_n(l->call_id, l->n), call_id))
			return l;
	}
	return NULL;
}

static uint64_t id_hash(int64_t id)
{
	return htab_hash(str_n(&id, sizeof(id)));
}

static struct trace_call *find_call(const struct store *s, int64_t id)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &s->by_id, id_hash(id))
	{
		struct trace_call *c = CONTAINER(it, struct trace_call, by_id);

		if (c->id == id)
			return c;
	}
	return NULL;
}

static void drop_leg(struct store *s, struct trace_leg *l)
{
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &l->messages)
		forget(s, CONTAINER(it, struct traced, of_leg));
	htab_del(&s->by_call_id, &l->by_call_id);
	list_del(&l->of_call);
	free(l);
}

static void drop_call(struct store *s, struct trace_call *c)
{
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &c->legs)
		drop_leg(s, CONTAINER(it, struct trace_leg, of_call));
	htab_del(&s->by_id, &c->by_id);
	list_del(&c->recent);
	s->calls--;
	free(c);
}

/* What was kept goes last. */
static void make_room(struct store *s)
{
	bool is_kept = list_is_empty(&s->recent[LIMBO]);
	struct trace_call *c = CONTAINER(s->recent[is_kept].next, struct trace_call, recent);

	if (s->calls == 0 || s->calls < s->limit / CALL_BYTES)
		return;
	s->lost += c->messages;
	drop_call(s, c);
}

/* is_asked: it meets what is asked for by what it is. */
static struct trace_call *make_call(struct store *s, int64_t id, bool is_asked)
{
	make_room(s);

	struct trace_call *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->id = id;
	c->is_kept = is_asked && s->filter.wanted == 0;
	list_init(&c->legs);
	list_add_tail(&s->recent[c->is_kept], &c->recent);
	if (id)
		htab_add(&s->by_id, &c->by_id, id_hash(id));
	s->calls++;
	return c;
}

static struct trace_leg *make_leg(struct store *s, struct trace_call *c, struct str call_id)
{
	struct trace_leg *l = calloc(1, sizeof(*l) + call_id.n + 1);

	if (!l)
		return NULL;
	l->n = call_id.n;
	if (call_id.n)
		memcpy(l->call_id, call_id.p, call_id.n);
	list_init(&l->messages);
	l->call = c;
	list_add_tail(&c->legs, &l->of_call);
	htab_add(&s->by_call_id, &l->by_call_id, htab_hash(call_id));
	return l;
}

/* What waited in limbo. */
static void keep_leg(struct store *s, struct trace_leg *l)
{
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &l->messages) {
		struct traced *t = CONTAINER(it, struct traced, of_leg);

		if (t->is_kept)
			continue;
		dequeue(s, t);
		enqueue(s, t, true);
	}
}

static void meet(struct store *s, struct trace_call *c, unsigned met)
{
	struct list *it, *tmp;

	c->met |= met;
	if (c->is_kept || (c->met & s->filter.wanted) != s->filter.wanted)
		return;
	c->is_kept = true;
	list_del(&c->recent);
	list_add_tail(&s->recent[KEPT], &c->recent);
	LIST_EACH (it, tmp, &c->legs)
		keep_leg(s, CONTAINER(it, struct trace_leg, of_call));
}

/* The messages of one call are counted by it: they go along. */
static void move_leg(struct store *s, struct trace_leg *l, struct trace_call *to)
{
	struct trace_call *from = l->call;
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &l->messages) {
		bool is_kept = CONTAINER(it, struct traced, of_leg)->is_kept;

		from->messages -= is_kept;
		to->messages += is_kept;
	}
	list_del(&l->of_call);
	list_add_tail(&to->legs, &l->of_call);
	l->call = to;
	meet(s, to, from->met);
	if (to->is_kept)
		keep_leg(s, l);
	if (list_is_empty(&from->legs))
		drop_call(s, from);
}

/* ---- what comes in ---- */

static struct str call_id_of(struct str raw)
{
	struct field f;

	(void)field_start_line(&raw);
	while (field_next(&raw, &f))
		if (str_ieq(f.name, STR("Call-ID")) || str_ieq(f.name, STR("i")))
			return str_head(f.value, CALL_ID_MAX);
	return STR("");
}

static struct trace_leg *leg_of(struct store *s, struct str call_id, bool is_known)
{
	struct trace_leg *l = find_leg(s, call_id);
	struct trace_call *c = l ? l->call : make_call(s, 0, is_known);

	if (l || !c)
		return l;
	l = make_leg(s, c, call_id);
	if (!l)
		drop_call(s, c);
	return l;
}

static void keep(struct store *s, struct trace_leg *l, const struct tap_message *m, struct str raw)
{
	struct traced *t = malloc(sizeof(*t) + raw.n);

	if (!t)
		return;
	*t = (struct traced){ .leg = l,
			      .number = ++s->last_number,
			      .wall_us = m->wall_us,
			      .is_sent = m->is_sent,
			      .proto = m->proto,
			      .local = m->local,
			      .peer = m->peer,
			      .n = raw.n };
	if (raw.n)
		memcpy(t->bytes, raw.p, raw.n);
	list_add_tail(&l->messages, &t->of_leg);
	enqueue(s, t, l->call->is_kept);
	push_out(s);
}

/* Who is not let in is many and says nothing: such are traced only if the filter names them. */
static bool is_noise(const struct store *s, const struct tap_message *m, unsigned met)
{
	return m->who == TAP_REFUSED &&
	       (s->filter.wanted == 0 || (met & s->filter.wanted) != s->filter.wanted);
}

const struct trace_call *store_message(struct store *s, const struct tap_message *m, struct str raw)
{
	struct str call_id = call_id_of(raw);
	unsigned met = filter_peer(&s->filter, &m->peer) | filter_call_id(&s->filter, call_id);
	bool is_known = m->who == TAP_KNOWN;

	if (is_noise(s, m, met))
		return NULL;

	struct trace_leg *l = leg_of(s, call_id, is_known);
	if (!l)
		return NULL;
	list_del(&l->call->recent);
	list_add_tail(&s->recent[l->call->is_kept], &l->call->recent);
	/* A stranger's waits in limbo until it is a call, or is what was asked for. */
	if (is_known || met)
		meet(s, l->call, met);
	if (s->is_running)
		keep(s, l, m, raw);
	return l->call;
}

static void copy(char *dst, const char *src)
{
	memcpy(dst, src, TRACE_NAME + 1);
	dst[TRACE_NAME] = '\0';
}

void store_note(struct store *s, const struct tap_note *n, struct str call_id)
{
	struct trace_call *c = find_call(s, n->call_id);

	if (!c)
		c = make_call(s, n->call_id, true);
	if (!c)
		return;
	call_id = str_head(call_id, CALL_ID_MAX);

	struct trace_leg *l = find_leg(s, call_id);
	if (!l)
		l = make_leg(s, c, call_id);
	else if (l->call != c)
		move_leg(s, l, c);
	if (!l) {
		if (list_is_empty(&c->legs))
			drop_call(s, c);
		return;
	}
	l->is_vendor = n->is_vendor;
	l->attempt = n->attempt;
	copy(l->gateway, n->gateway);
	if (!n->is_vendor) {
		copy(c->caller, n->number[0]);
		copy(c->callee, n->number[1]);
	}
	meet(s, c, filter_note(&s->filter, n) | filter_call_id(&s->filter, call_id));
}

/* ---- what is asked ---- */

const struct trace_call *store_find(const struct store *s, struct str key)
{
	char digits[17], *end;
	const struct trace_leg *l = find_leg(s, key);
	const struct trace_call *c = l ? l->call : NULL;

	if (!c && key.n == 16 && str_copy(digits, sizeof(digits), key) == 0) {
		int64_t id = (int64_t)strtoull(digits, &end, 16);

		c = *end || id == 0 ? NULL : find_call(s, id);
	}
	return c && c->messages > 0 ? c : NULL;
}

/* Workers mail on their own: what two of them saw arrives in any order. */
static int by_time(const void *a, const void *b)
{
	const struct traced *const *x = a, *const *y = b;

	if ((*x)->wall_us != (*y)->wall_us)
		return (*x)->wall_us < (*y)->wall_us ? -1 : 1;
	return (*x)->number < (*y)->number ? -1 : (*x)->number > (*y)->number;
}

int store_collect(const struct store *s, const struct trace_call *c, const struct traced ***ret,
		  size_t *ret_n)
{
	struct list *leg, *it, *tmp, *tmp2;
	size_t n = 0, room = c ? c->messages : 0;

	if (!c)
		LIST_EACH (it, tmp, &s->queue[KEPT])
			room++;

	const struct traced **all = calloc(room + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	if (!c) {
		LIST_EACH (it, tmp, &s->queue[KEPT])
			all[n++] = CONTAINER(it, struct traced, by_age);
	} else {
		LIST_EACH (leg, tmp, &c->legs)
			LIST_EACH (it, tmp2, &CONTAINER(leg, struct trace_leg, of_call)->messages)
				if (CONTAINER(it, struct traced, of_leg)->is_kept)
					all[n++] = CONTAINER(it, struct traced, of_leg);
	}
	qsort(all, n, sizeof(*all), by_time);
	*ret = all;
	*ret_n = n;
	return 0;
}

const struct trace_leg *call_first_leg(const struct trace_call *c)
{
	struct list *it, *tmp;
	const struct trace_leg *first = NULL;

	LIST_EACH (it, tmp, &c->legs) {
		const struct trace_leg *l = CONTAINER(it, struct trace_leg, of_call);

		if (!first || !l->is_vendor)
			first = l;
	}
	return first;
}

/* ---- begin and end ---- */

int store_init(struct store *s, size_t limit)
{
	*s = (struct store){ .limit = limit };
	list_init(&s->queue[LIMBO]);
	list_init(&s->queue[KEPT]);
	list_init(&s->recent[LIMBO]);
	list_init(&s->recent[KEPT]);

	int r = htab_init(&s->by_call_id, 0);

	return r < 0 ? r : htab_init(&s->by_id, 0);
}

static void empty(struct store *s)
{
	for (int i = 0; i < 2; i++)
		while (!list_is_empty(&s->recent[i]))
			drop_call(s, CONTAINER(s->recent[i].next, struct trace_call, recent));
	s->messages = s->lost = 0;
}

void store_start(struct store *s, const struct trace_filter *f)
{
	empty(s);
	s->filter = *f;
	s->is_running = true;
}

void store_limit(struct store *s, size_t limit)
{
	s->limit = limit;
	push_out(s);
}

void store_done(struct store *s)
{
	if (s->recent[KEPT].next)
		empty(s);
	htab_done(&s->by_call_id);
	htab_done(&s->by_id);
}
