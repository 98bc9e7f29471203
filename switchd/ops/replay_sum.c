#include "ops/replay_sum.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/htab.h"

enum kind { MOVE, VENDOR, CURRENCY, KINDS };

/* A line of one of the three tables. */
struct line {
	struct hnode node;
	enum kind kind;
	char *name,
		*other; /* of a move: from and to; of a vendor its currency; "": nowhere, none */
	int64_t calls, calls_after, answered;
	ms_t talk_ms, talk_ms_after;
	money_t income, income_after, cost, cost_after;
};

struct replay_sum {
	struct htab lines;
	int error;
};

int replay_sum_create(struct replay_sum **ret)
{
	struct replay_sum *s = calloc(1, sizeof(*s));

	if (!s || htab_init(&s->lines, 64) < 0) {
		free(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

static void line_free(struct line *l)
{
	free(l->name);
	free(l->other);
	free(l);
}

struct replay_sum *replay_sum_free(struct replay_sum *s)
{
	struct hnode *it;

	if (!s)
		return NULL;
	while ((it = htab_walk(&s->lines, NULL))) {
		htab_del(&s->lines, it);
		line_free(CONTAINER(it, struct line, node));
	}
	htab_done(&s->lines);
	free(s);
	return NULL;
}

int replay_sum_error(const struct replay_sum *s)
{
	return s->error;
}

static struct line *get(struct replay_sum *s, enum kind kind, const char *name, const char *other)
{
	uint64_t hash = htab_hash2(str_of(name), str_of(other)) + (uint64_t)kind;
	struct hnode *it;
	struct line *l;

	HTAB_EACH_MATCH(it, &s->lines, hash)
	{
		l = CONTAINER(it, struct line, node);
		if (l->kind == kind && strcmp(l->name, name) == 0 && strcmp(l->other, other) == 0)
			return l;
	}
	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->kind = kind;
	l->name = strdup(name);
	l->other = strdup(other);
	if (!l->name || !l->other) {
		line_free(l);
		return NULL;
	}
	htab_add(&s->lines, &l->node, hash);
	return l;
}

static const char *text(const char *s)
{
	return s ? s : "";
}

/* Vendors of two currencies are two moves' ends; a move is told in the calls, not in money, unless it stays in one currency. */
static void add_move(struct replay_sum *s, const struct replay_call *c)
{
	struct line *l = get(s, MOVE, text(c->before.vendor), text(c->after.vendor));

	if (!l) {
		s->error = -ENOMEM;
		return;
	}
	l->calls++;
	l->answered += c->is_answered;
	l->talk_ms += c->hold_ms;
	l->cost += c->before.cost;
	l->cost_after += c->after.cost;
}

static void add_end(struct replay_sum *s, const struct replay_call *c, bool is_after)
{
	const struct replay_end *e = is_after ? &c->after : &c->before;
	struct line *l = e->vendor ? get(s, VENDOR, e->vendor, text(e->currency)) : NULL;
	struct line *m = get(s, CURRENCY, e->currency ? e->currency : c->currency, "");

	if ((e->vendor && !l) || !m) {
		s->error = -ENOMEM;
		return;
	}
	if (l) {
		*(is_after ? &l->calls_after : &l->calls) += 1;
		*(is_after ? &l->talk_ms_after : &l->talk_ms) += c->hold_ms;
		*(is_after ? &l->cost_after : &l->cost) += e->cost;
	}
	*(is_after ? &m->cost_after : &m->cost) += e->cost;
}

static void add_income(struct replay_sum *s, const struct replay_call *c)
{
	struct line *l = get(s, CURRENCY, c->currency, "");

	if (!l) {
		s->error = -ENOMEM;
		return;
	}
	l->income += c->income;
	l->income_after += c->income_after;
}

void replay_sum_add(struct replay_sum *s, const struct replay_call *c)
{
	bool is_moved = strcmp(text(c->before.vendor), text(c->after.vendor)) != 0;

	if (is_moved)
		add_move(s, c);
	add_end(s, c, false);
	add_end(s, c, true);
	add_income(s, c);
}

/* ---- as JSON ---- */

static json_t *money_json(money_t m)
{
	char room[MONEY_TEXT];

	return json_string(money_text(m, room));
}

static json_t *line_json(const struct line *l)
{
	switch (l->kind) {
	case MOVE:
		return json_pack("{s:s s:s s:I s:I s:I s:o s:o}", "from", l->name, "to", l->other,
				 "calls", (json_int_t)l->calls, "answered", (json_int_t)l->answered,
				 "talk_s", (json_int_t)(l->talk_ms / 1000), "cost_before",
				 money_json(l->cost), "cost_after", money_json(l->cost_after));
	case VENDOR:
		return json_pack("{s:s s:s s:I s:I s:I s:I s:o s:o}", "routing_gateway", l->name,
				 "currency", l->other, "calls_before", (json_int_t)l->calls,
				 "calls_after", (json_int_t)l->calls_after, "talk_s_before",
				 (json_int_t)(l->talk_ms / 1000), "talk_s_after",
				 (json_int_t)(l->talk_ms_after / 1000), "cost_before",
				 money_json(l->cost), "cost_after", money_json(l->cost_after));
	default:
		return json_pack("{s:s s:o s:o s:o s:o s:o}", "currency", l->name, "income_before",
				 money_json(l->income), "income_after", money_json(l->income_after),
				 "cost_before", money_json(l->cost), "cost_after",
				 money_json(l->cost_after), "margin_change",
				 money_json(l->income_after - l->cost_after - l->income + l->cost));
	}
}

static int most_calls_first(const void *va, const void *vb)
{
	const struct line *a = *(struct line *const *)va, *b = *(struct line *const *)vb;
	int64_t x = a->calls + a->calls_after, y = b->calls + b->calls_after;
	int names = strcmp(a->name, b->name);

	if (x != y)
		return x > y ? -1 : 1;
	return names ? names : strcmp(a->other, b->other);
}

static json_t *table(struct replay_sum *s, enum kind kind, int64_t limit)
{
	struct line **all = calloc(s->lines.count + 1, sizeof(struct line *));
	json_t *list = json_array();
	struct hnode *it;
	size_t n = 0;

	HTAB_EACH (it, &s->lines) {
		struct line *l = CONTAINER(it, struct line, node);

		if (all && l->kind == kind)
			all[n++] = l;
	}
	if (n > 0)
		qsort(all, n, sizeof(*all), most_calls_first);
	for (size_t i = 0; i < n && (int64_t)i < limit; i++)
		(void)json_array_append_new(list, line_json(all[i]));
	free(all);
	return list;
}

void replay_sum_put(struct replay_sum *s, json_t *object, int64_t limit)
{
	(void)json_object_set_new(object, "currencies", table(s, CURRENCY, limit));
	(void)json_object_set_new(object, "moves", table(s, MOVE, limit));
	(void)json_object_set_new(object, "vendors", table(s, VENDOR, limit));
}
