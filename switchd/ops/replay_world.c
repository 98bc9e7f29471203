#include "ops/replay_world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ops/directory.h"
#include "ops/loaded.h"
#include "sheet/load.h"

enum { MONEY_FOR_ALL = 1000000000 }; /* in whole units: no call is short of it */

/* A gate or a tariff. */
struct thing {
	struct hnode node;
	char kind;
	char *name;
	struct gate gate;
	struct tariff *tariff;
};

static void thing_free(struct thing *t)
{
	scores_done(&t->gate.scores);
	spent_done(&t->gate.wrong);
	tariff_free(t->tariff);
	free(t->name);
	free(t);
}

static struct thing *find(const struct replay_world *w, char kind, const char *name)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &w->things, htab_hash2(str_n(&kind, 1), str_of(name)))
	{
		struct thing *t = CONTAINER(it, struct thing, node);

		if (t->kind == kind && strcmp(t->name, name) == 0)
			return t;
	}
	return NULL;
}

static struct thing *add(struct replay_world *w, char kind, const char *name)
{
	struct thing *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->kind = kind;
	spent_init(&t->gate.wrong);
	t->name = strdup(name);
	t->gate.name = t->name;
	if (!t->name) {
		thing_free(t);
		return NULL;
	}
	htab_add(&w->things, &t->node, htab_hash2(str_n(&kind, 1), str_of(name)));
	return t;
}

/* ---- what worlds are made of ---- */

static struct purse *find_purse(void *ctx, const char *account)
{
	const struct replay_world *w = ctx;

	(void)account;
	return w->purse;
}

static struct gate *find_gate(void *ctx, char kind, const char *name)
{
	struct thing *t = find(ctx, kind, name);

	if (!t)
		t = add(ctx, kind, name);
	return t ? &t->gate : NULL;
}

static struct reach *find_reach(void *ctx, const char *gateway, const char *address)
{
	const struct replay_world *w = ctx;

	(void)gateway;
	(void)address;
	return w->reach;
}

static struct meter *find_meter(void *ctx, char kind, const char *name, uint32_t limit)
{
	(void)ctx;
	(void)kind;
	(void)name;
	(void)limit;
	return NULL;
}

static const struct tariff *find_tariff(void *ctx, const char *group)
{
	const struct replay_world *w = ctx;
	const struct thing *t = find(w, 't', group);

	return t ? t->tariff : NULL;
}

static const struct numlist *find_list(void *ctx, const char *name)
{
	const struct replay_world *w = ctx;

	return directory_list(w->directory, name);
}

static const struct transform *find_transform(void *ctx, const char *name)
{
	const struct replay_world *w = ctx;

	return directory_transform(w->directory, name);
}

/* Where a name leads does not matter, only that it leads somewhere: an address of nobody's (RFC 5737). */
static bool find_host(void *ctx, struct str host, uint16_t port, enum proto proto,
		      struct dns_answer *ret)
{
	(void)ctx;
	(void)host;
	(void)port;
	*ret = (struct dns_answer){ .count = 1 };
	return addr_parse(STR("192.0.2.1"), proto_port(proto), &ret->target[0].addr) == 0;
}

static int load_tariffs(struct replay_world *w, struct err *err)
{
	CLEANUP(loaded_done) struct loaded groups = { .entity = &entities[ENTITY_RATE_GROUP] };
	int r = loaded_read(&groups, w->db);

	for (size_t i = 0; r == 0 && i < groups.count; i++) {
		const struct rate_group_row *g = groups.row[i];
		struct thing *t = add(w, 't', g->name);
		struct tariff_rules rules;

		if (!t)
			return -ENOMEM;
		world_rules(w->params, g, &rules);
		r = load_tariff(&t->tariff, w->db, str_of(g->name), &rules, w->from, err);
	}
	return r;
}

/* ---- a world ---- */

/* Packages and spend rules are about money, which everybody has here. */
#define PART(id, rows)                                           \
	{                                                        \
		ENTITY_##id, offsetof(struct world_input, rows), \
			offsetof(struct world_input, rows##s)    \
	}

static const struct {
	enum entity_id entity;
	size_t rows, count;
} parts[] = {
	PART(ACCOUNT, account),          PART(PHONE, phone),
	PART(MAPPING_GATEWAY, mapping),  PART(ROUTING_GATEWAY, routing),
	PART(GATEWAY_GROUP, group),      PART(ROUTE_PLAN, plan),
	PART(SECURITY_PROFILE, profile), PART(RATE_GROUP, rate_group),
};

enum { PARTS = sizeof(parts) / sizeof(parts[0]) };

struct draft {
	struct replay_world *w;
	struct loaded part[PARTS];
	struct params *params;
};

static void *find_row(struct draft *d, const struct wish *wish)
{
	CLEANUP(buf_done) struct buf key = BUF_INIT;

	for (size_t i = 0; i < PARTS; i++) {
		if (!str_eq(wish->entity, str_of(entities[parts[i].entity].name)))
			continue;
		for (size_t n = 0; n < d->part[i].count; n++) {
			buf_clear(&key);
			row_key(d->part[i].entity, d->part[i].row[n], &key);
			if (str_eq(buf_str(&key), wish->key))
				return d->part[i].row[n];
		}
	}
	return NULL;
}

static int change_row(struct draft *d, const struct wish *wish, struct err *err)
{
	CLEANUP(json_decref) json_t *fields = NULL;
	const struct entity *e = entity_find(wish->entity);
	void *row = find_row(d, wish);
	int r = wish_fields(wish, &fields, err);

	if (r < 0)
		return r;
	if (!row)
		return wish_refuse(wish, "there is none of that name", err);
	r = row_from_json(e, row, fields, err);
	return r < 0 ? r : row_check(e, row, err);
}

static int assume(struct draft *d, const struct wish *wish, struct err *err)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	struct replay_world *w = d->w;

	if (!find_row(d, wish))
		return wish_refuse(wish, "there is no such routing gateway", err);
	buf_put(&name, wish->key);

	const struct gate *g = buf_cstr(&name) ? find_gate(w, 'r', buf_cstr(&name)) : NULL;
	int r = g ? wish_assumption(wish, g, &w->assume[w->assumed], err) : -ENOMEM;

	w->assumed += r == 0;
	return r;
}

static int grant(struct draft *d, const char *text, struct err *err)
{
	struct wish wish = wish_of(str_of(text));
	enum param id;
	struct str value;
	int r;

	if (wish_is_assumed(&wish))
		return assume(d, &wish, err);
	if (!str_eq(wish.entity, STR("parameter")))
		return change_row(d, &wish, err);
	r = wish_parameter(&wish, &id, &value, err);
	return r < 0 ? r : params_set(d->params, id, value, err);
}

static int read_rows(struct draft *d)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < PARTS; i++) {
		d->part[i].entity = &entities[parts[i].entity];
		r = loaded_read(&d->part[i], d->w->db);
	}
	return r;
}

static int compile(struct draft *d, struct world **ret, struct err *err)
{
	struct world_input in = { .params = TAKE(d->params),
				  .find_purse = find_purse,
				  .find_gate = find_gate,
				  .find_reach = find_reach,
				  .find_tariff = find_tariff,
				  .find_meter = find_meter,
				  .find_list = find_list,
				  .find_transform = find_transform,
				  .find_host = find_host,
				  .ctx = d->w };

	for (size_t i = 0; i < PARTS; i++) {
		memcpy((char *)&in + parts[i].rows, &d->part[i].row, sizeof(d->part[i].row));
		memcpy((char *)&in + parts[i].count, &d->part[i].count, sizeof(d->part[i].count));
	}
	directory_tell(d->w->directory, &in);

	int r = world_create(ret, &in, err);

	for (size_t i = 0; i < PARTS; i++)
		d->part[i].count = 0; /* handed over */
	return r;
}

static int make_world(struct replay_world *w, const struct wishes *wishes, struct world **ret,
		      struct err *err)
{
	struct draft d = { .w = w, .params = params_copy(w->params) };
	int r = d.params ? read_rows(&d) : -ENOMEM;

	for (int i = 0; r == 0 && wishes && i < wishes->count; i++)
		r = grant(&d, wishes->text[i], err);
	if (r == 0)
		r = compile(&d, ret, err);
	for (size_t i = 0; i < PARTS; i++)
		loaded_done(&d.part[i]);
	params_free(d.params);
	return r;
}

static int make_things(struct replay_world *w)
{
	w->purse = calloc(1, sizeof(*w->purse));
	w->reach = calloc(1, sizeof(*w->reach));
	if (!w->purse || !w->reach || htab_init(&w->things, 256) < 0)
		return -ENOMEM;
	atomic_store(&w->purse->balance, MONEY_FOR_ALL * MONEY_ONE);
	atomic_store(&w->purse->free, MONEY_FOR_ALL * MONEY_ONE);
	atomic_store(&w->reach->health, REACH_UP);
	atomic_store(&w->reach->place, REACH_REGISTERED);
	return directory_create(&w->directory, w->db);
}

int replay_world_open(struct replay_world *w, struct db *db, struct params *params, ms_t from,
		      const struct wishes *wishes, struct err *err)
{
	w->db = db;
	w->params = params;
	w->from = from;

	int r = make_things(w);

	if (r == 0)
		r = directory_prepare(w->directory, DIRECTORY_ALL, NULL, err);
	if (r == 0)
		r = load_tariffs(w, err);
	if (r == 0)
		r = make_world(w, NULL, &w->base, err);
	if (r == 0 && wishes->count > 0)
		r = make_world(w, wishes, &w->draft, err);
	return r;
}

void replay_world_done(struct replay_world *w)
{
	struct hnode *it;

	world_free(w->draft);
	world_free(w->base);
	while (w->things.bucket && (it = htab_walk(&w->things, NULL))) {
		htab_del(&w->things, it);
		thing_free(CONTAINER(it, struct thing, node));
	}
	if (w->things.bucket)
		htab_done(&w->things);
	directory_free(w->directory);
	params_free(w->params);
	free(w->purse);
	free(w->reach);
	*w = (struct replay_world){ 0 };
}
