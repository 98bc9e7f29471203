#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ops/inner.h"

/*
 * What is wrong now. Kept in memory: the most important alarm is that nothing can be written. When the same thing raises its alarm
 * again, the begin stays and the value is the latest (features.md §10).
 */

enum { ALARM_OBJECT = 80, ALARM_INFO = 200 };

struct alarm {
	struct list node;
	const char *type;
	int level; /* 0 general, 1 minor, 2 major, 3 critical */
	char object[ALARM_OBJECT];
	char info[ALARM_INFO];
	int64_t value;
	ms_t begin, last;
	bool is_seen;
};

struct alarms {
	struct list list;
	int count;
};

int alarms_create(struct alarms **ret)
{
	struct alarms *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	list_init(&a->list);
	*ret = a;
	return 0;
}

struct alarms *alarms_free(struct alarms *a)
{
	struct list *first;

	if (!a)
		return NULL;
	while ((first = list_shift(&a->list)))
		free(CONTAINER(first, struct alarm, node));
	free(a);
	return NULL;
}

int alarms_count(const struct alarms *a)
{
	return a->count;
}

static struct alarm *find(struct alarms *a, const char *type, const char *object)
{
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &a->list) {
		struct alarm *x = CONTAINER(it, struct alarm, node);

		if (strcmp(x->type, type) == 0 && strcmp(x->object, object) == 0)
			return x;
	}
	return NULL;
}

static void alarm_raise(struct alarms *a, const char *type, int level, const char *object,
			int64_t value, const char *info)
{
	struct alarm *x = find(a, type, object);

	if (!x) {
		x = calloc(1, sizeof(*x));
		if (!x)
			return;
		x->type = type;
		x->level = level;
		(void)snprintf(x->object, sizeof(x->object), "%s", object);
		x->begin = clock_wall_ms();
		list_add_tail(&a->list, &x->node);
		a->count++;
		log_at(level >= 2 ? LOG_ERR : LOG_WARNING, NULL, "alarm %s: %s %s", type, object,
		       info);
	}
	(void)snprintf(x->info, sizeof(x->info), "%s", info);
	x->value = value;
	x->last = clock_wall_ms();
	x->is_seen = true;
}

/* What was not raised again in this look is over. */
static void clear_unseen(struct alarms *a)
{
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &a->list) {
		struct alarm *x = CONTAINER(it, struct alarm, node);

		if (!x->is_seen) {
			log_at(LOG_NOTICE, NULL, "alarm %s is over: %s", x->type, x->object);
			list_del(&x->node);
			a->count--;
			free(x);
		} else {
			x->is_seen = false;
		}
	}
}

static void look_at_ledger(struct ops *o)
{
	struct ledger_stats s;

	ledger_stats(o->hub->ledger, &s);
	if (!ledger_is_up(o->hub->ledger))
		alarm_raise(o->alarms, "database", 3, "ledger", s.queued, s.error);
	if (s.outbox > 100000)
		alarm_raise(o->alarms, "pending_cdrs", 2, "ledger", (int64_t)s.outbox,
			    "records do not get into their month files");
}

/*
 * Callers that do not acknowledge: forged addresses, or a gateway that is broken (security.md A2). Vendors that ask for the
 * password in another name than before.
 */
static void look_at_gateways(struct ops *o)
{
	const struct world *w = catalog_world(o->catalog);

	for (size_t i = 0; i < w->sources; i++) {
		uint64_t n = atomic_load(&w->source[i].gate->no_ack);

		if (n > 0)
			alarm_raise(o->alarms, "no_ack", 1, w->source[i].row->name, (int64_t)n,
				    "answered calls that the caller never acknowledged");
	}
	for (size_t i = 0; i < w->vendors; i++) {
		uint64_t n = atomic_load(&w->vendor[i].gate->realm_changes);

		if (n > 0)
			alarm_raise(o->alarms, "vendor_realm", 1, w->vendor[i].row->name,
				    (int64_t)n, "the realm of the vendor's challenges has changed");
	}
}

static void look_at_licence(struct ops *o)
{
	const struct licence *l = &o->permit.licence;
	enum licence_state s = license_state(o);

	if (err_is_set(&o->permit.problem))
		alarm_raise(o->alarms, "licence", 2, "licence.json", 0, o->permit.problem.message);
	if (s == LICENCE_EXPIRED)
		alarm_raise(o->alarms, "licence", 2, l->customer, l->lines,
			    "the licence has expired; 30 days later lines are few");
	if (s == LICENCE_LAPSED)
		alarm_raise(o->alarms, "licence", 3, l->customer, LICENCE_LAPSED_LINES,
			    "the licence expired over 30 days ago: few lines, nothing new");
}

void alarms_look(struct ops *o)
{
	look_at_licence(o);
	look_at_ledger(o);
	look_at_gateways(o);
	clear_unseen(o->alarms);
}

int alarm_list(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	static const char *const levels[] = { "general", "minor", "major", "critical" };
	json_t *list = json_array();
	struct list *it, *tmp;
	char begin[CLOCK_TEXT], last[CLOCK_TEXT];

	(void)r;
	(void)err;
	alarms_look(o);
	LIST_EACH (it, tmp, &o->alarms->list) {
		const struct alarm *x = CONTAINER(it, struct alarm, node);

		(void)json_array_append_new(list, json_pack("{s:s s:s s:s s:s s:s s:I s:s}", "type",
							    x->type, "level", levels[x->level],
							    "object", x->object, "begin",
							    clock_text(x->begin, begin), "last",
							    clock_text(x->last, last), "value",
							    (json_int_t)x->value, "info", x->info));
	}
	*ret = list;
	return list ? 0 : -ENOMEM;
}
