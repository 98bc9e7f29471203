#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ops/inner.h"
#include "ops/tally.h"

/*
 * What is wrong now. Kept in memory: the most important alarm is that nothing can be written. When the same thing raises its alarm
 * again, the begin stays and the value is the latest (features.md §10).
 *
 * An alarm about how things are ends with its cause, acknowledged or not. One that counts what happened has a tally that says
 * when it is over.
 */

enum { ALARM_OBJECT = 128, ALARM_INFO = 200, ALARM_ACTOR = 64 };

struct alarm {
	struct list node;
	const char *type;
	int level; /* 0 general, 1 minor, 2 major, 3 critical */
	char object[ALARM_OBJECT];
	char info[ALARM_INFO];
	int64_t value;
	ms_t begin, last;
	bool is_seen, is_told;
	ms_t acked; /* 0: nobody has said that he looks after it */
	char acked_by[ALARM_ACTOR];
};

/* What is counted, by type and object; as many as there are gateways. */
struct counted {
	struct list node;
	const char *type;
	char object[ALARM_OBJECT];
	struct tally tally;
};

struct alarms {
	struct list list, counted;
	int count;
};

int alarms_create(struct alarms **ret)
{
	struct alarms *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	list_init(&a->list);
	list_init(&a->counted);
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
	while ((first = list_shift(&a->counted)))
		free(CONTAINER(first, struct counted, node));
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

void alarm_raise(struct alarms *a, const char *type, int level, const char *object, int64_t value,
		 const char *info)
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
	if (level != x->level)
		log_at(level >= 2 ? LOG_ERR : LOG_WARNING, NULL, "alarm %s: %s %s", type, object,
		       info);
	x->level = level;
	(void)snprintf(x->info, sizeof(x->info), "%s", info);
	x->value = value;
	x->last = clock_wall_ms();
	x->is_seen = true;
}

static struct counted *find_counted(struct alarms *a, const char *type, const char *object)
{
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &a->counted) {
		struct counted *x = CONTAINER(it, struct counted, node);

		if (strcmp(x->type, type) == 0 && strcmp(x->object, object) == 0)
			return x;
	}
	return NULL;
}

void alarm_count(struct alarms *a, const char *type, int level, const char *object, uint64_t total,
		 const char *info)
{
	struct counted *x = find_counted(a, type, object);

	if (!x && total > 0) {
		x = calloc(1, sizeof(*x));
		if (!x)
			return;
		x->type = type;
		(void)snprintf(x->object, sizeof(x->object), "%s", object);
		list_add_tail(&a->counted, &x->node);
	}

	uint64_t n = x ? tally_look(&x->tally, total, clock_mono_ms()) : 0;

	if (n > 0)
		alarm_raise(a, type, level, object, (int64_t)n, info);
}

static const char *const levels[] = { "general", "minor", "major", "critical" };

static json_t *alarm_json(const struct alarm *x)
{
	char begin[CLOCK_TEXT], last[CLOCK_TEXT], acked[CLOCK_TEXT];

	return json_pack("{s:s s:s s:s s:s s:s s:I s:s s:o s:s}", "type", x->type, "level",
			 levels[x->level], "object", x->object, "begin",
			 clock_text(x->begin, begin), "last", clock_text(x->last, last), "value",
			 (json_int_t)x->value, "info", x->info, "acked",
			 x->acked ? json_string(clock_text(x->acked, acked)) : json_null(),
			 "acked_by", x->acked_by);
}

/* Whoever does not look is told once that it stands, and once that it is over; nobody of one that keeps telling from arriving. */
static void tell(struct ops *o, struct alarm *x, bool is_over)
{
	bool is_due = is_over ? x->is_told : !x->is_told;

	if (is_due && strcmp(x->type, "notices") != 0)
		notice_alarm(o, alarm_json(x), is_over);
	x->is_told = true;
}

static void remember(struct ops *o, const struct alarm *x)
{
	history_add(o, &(struct past_alarm){ .type = x->type,
					     .object = x->object,
					     .level = levels[x->level],
					     .info = x->info,
					     .acked_by = x->acked_by,
					     .value = x->value,
					     .begin = x->begin,
					     .last = x->last,
					     .acked = x->acked });
}

/* What was not raised again in this look is over. */
static void clear_unseen(struct ops *o)
{
	struct alarms *a = o->alarms;
	struct list *it, *tmp;

	LIST_EACH (it, tmp, &a->list) {
		struct alarm *x = CONTAINER(it, struct alarm, node);

		if (!x->is_seen) {
			log_at(LOG_NOTICE, NULL, "alarm %s is over: %s", x->type, x->object);
			tell(o, x, true);
			remember(o, x);
			list_del(&x->node);
			a->count--;
			free(x);
		} else {
			tell(o, x, false);
			x->is_seen = false;
		}
	}
}

/* SERVER_ALARM_DATABASE_IGNORE_ERROR_CODE names the code itself, or the family that it is of. */
static bool is_ignored(const struct params *p, int code)
{
	struct str list = param_str(p, PARAM_SERVER_ALARM_DATABASE_IGNORE_ERROR_CODE), item;
	uint32_t n;

	while (code && str_split(&list, ',', &item)) {
		if (str_to_u32(str_trim(item), UINT16_MAX, &n) == 0 &&
		    ((int)n == code || (int)n == (code & 0xff)))
			return true;
	}
	return false;
}

static void look_at_ledger(struct ops *o)
{
	const struct params *p = catalog_world(o->catalog)->params;
	struct ledger_stats s;

	ledger_stats(o->hub->ledger, &s);
	if (!ledger_is_up(o->hub->ledger) && !is_ignored(p, s.code))
		alarm_raise(o->alarms, "database", 3, "ledger", s.waiting, s.error);
	if ((int64_t)s.outbox > param_int(p, PARAM_SERVER_MAX_CDR_PENDING_LIST_LENGTH))
		alarm_raise(o->alarms, "pending_cdrs", 2, "ledger", (int64_t)s.outbox,
			    "records do not get into their month files");
}

/* A name may be that of a gateway on either side. */
static void count_one_way(struct alarms *a, const char *name, const char *side,
			  const struct gate *g)
{
	char object[ALARM_OBJECT];

	(void)snprintf(object, sizeof(object), "%s as %s", name, side);
	alarm_count(a, "one_way_media", 1, object, atomic_load(&g->one_way),
		    "calls in which it was silent while the other side talked");
}

static void count_unrecorded(struct alarms *a, const struct source *s)
{
	alarm_count(a, "cdr_flood", 1, s->row->name, atomic_load(&s->gate->unrecorded),
		    "refused INVITEs have no record: beyond CDR_REFUSED_MAX a minute, or on a full "
		    "disk");
}

static void count_trapped(struct alarms *a, const struct source *s)
{
	uint64_t total = atomic_load(&s->gate->trapped);

	if (total > 0)
		alarm_count(
			a, "honeypot", 2, s->row->name, total,
			"calls to numbers of honeypot lists, which nobody has a reason to call");
}

/*
 * Callers that do not acknowledge: forged addresses, or a gateway that is broken (security.md A2). Vendors that ask for the
 * password in another name than before. Whoever is silent in calls in which the other side talks.
 */
static void look_at_gateways(struct ops *o)
{
	const struct world *w = catalog_world(o->catalog);

	for (size_t i = 0; i < w->sources; i++) {
		const struct source *s = &w->source[i];

		alarm_count(o->alarms, "no_ack", 1, s->row->name, atomic_load(&s->gate->no_ack),
			    "answered calls that the caller never acknowledged");
		count_one_way(o->alarms, s->row->name, "caller", s->gate);
		count_unrecorded(o->alarms, s);
		count_trapped(o->alarms, s);
	}
	for (size_t i = 0; i < w->phones; i++) {
		count_unrecorded(o->alarms, &w->phone[i].source);
		count_trapped(o->alarms, &w->phone[i].source);
	}
	for (size_t i = 0; i < w->vendors; i++) {
		const struct vendor *v = &w->vendor[i];

		alarm_count(o->alarms, "vendor_realm", 1, v->row->name,
			    atomic_load(&v->gate->realm_changes),
			    "the realm of the vendor's challenges has changed");
		count_one_way(o->alarms, v->row->name, "callee", v->gate);
	}
}

/* Rule of thumb of features.md §1.2: five chances before a registration behind NAT ends. */
static void look_at_keep_alive(struct ops *o)
{
	const struct params *p = catalog_world(o->catalog)->params;
	int64_t period = param_int(p, PARAM_SS_SIP_NAT_KEEP_ALIVE_PERIOD);

	if (!str_is_empty(param_str(p, PARAM_SS_SIP_NAT_KEEP_ALIVE_MESSAGE)) &&
	    period > param_int(p, PARAM_SS_ENDPOINT_NAT_EXPIRE) / 5)
		alarm_raise(
			o->alarms, "nat_keep_alive", 1, "SS_SIP_NAT_KEEP_ALIVE_PERIOD", period,
			"over a fifth of SS_ENDPOINT_NAT_EXPIRE: phones behind NAT may be lost");
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

static void look_at_all(struct ops *o)
{
	look_at_licence(o);
	look_at_ledger(o);
	look_at_gateways(o);
	look_at_keep_alive(o);
	look_at_vendors(o);
	look_at_couriers(o);
	look_at_names(o);
	look_at_disk(o);
	look_at_mirrors(o);
	look_at_balances(o);
	look_at_spends(o);
	look_at_guesses(o);
	look_at_notices(o);
}

void alarms_look(struct ops *o)
{
	if (!param_bool(catalog_world(o->catalog)->params, PARAM_SERVER_ALARM_DISABLE))
		look_at_all(o);
	clear_unseen(o);
}

int alarm_list(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	json_t *list = json_array();
	struct list *it, *tmp;

	(void)r;
	(void)err;
	alarms_look(o);
	LIST_EACH (it, tmp, &o->alarms->list)
		(void)json_array_append_new(list, alarm_json(CONTAINER(it, struct alarm, node)));
	*ret = list;
	return list ? 0 : -ENOMEM;
}

static void acknowledge(struct alarms *a, struct alarm *x, const char *actor)
{
	struct counted *c = find_counted(a, x->type, x->object);

	x->acked = clock_wall_ms();
	(void)str_copy(x->acked_by, sizeof(x->acked_by),
		       str_head(str_of(actor), sizeof(x->acked_by) - 1));
	log_at(LOG_NOTICE, NULL, "alarm %s of %s is acknowledged by %s", x->type, x->object, actor);
	if (c)
		tally_end(&c->tally);
}

int alarm_ack(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf type = BUF_INIT, object = BUF_INIT;
	json_t *list = json_array();
	struct list *it, *tmp;
	int error = list ? arg_need(r, "type", &type, err) : -ENOMEM;
	bool is_one = arg_text(r, "object", &object);

	alarms_look(o);
	LIST_EACH (it, tmp, &o->alarms->list) {
		struct alarm *x = CONTAINER(it, struct alarm, node);

		if (error < 0 || !str_eq(str_of(x->type), buf_str(&type)) ||
		    (is_one && !str_eq(str_of(x->object), buf_str(&object))))
			continue;
		acknowledge(o->alarms, x, r->actor);
		(void)json_array_append_new(list, alarm_json(x));
	}
	if (error == 0 && json_array_size(list) == 0)
		error = err_set(err, ERR_NOT_FOUND, is_one ? "object" : "type",
				is_one ? buf_str(&object) : buf_str(&type),
				"type and object as `alarm list` shows them",
				"no such alarm stands");
	if (error == 0)
		*ret = list;
	else
		json_decref(list);
	return error;
}
