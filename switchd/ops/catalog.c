#include "ops/catalog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/snapshot.h"
#include "ops/directory.h"
#include "ops/loaded.h"
#include "ops/spend_book.h"
#include "sheet/load.h"
#include "store/rows.h"
#include "vendor/resolver.h"

/* A thing that is found by kind and name: a gate, a meter or a tariff. */
struct thing {
	struct hnode node;
	char kind; /* 'm' 'r' 'g' 'p' 'q' gates; 'h' reach; 'A' 'M' 'R' 'P' 'S' meters; 't' tariff */
	char *name;
	struct gate gate;
	struct reach reach;
	struct meter *meter;
	struct tariff *tariff;
	struct tariff *next_tariff; /* compiled for the world being prepared */
	bool has_next;
};

/* Replaced, but some worker may still look at it. */
struct retired {
	struct retired *next;
	struct meter *meter;
	struct tariff *tariff;
};

struct catalog {
	struct db *db;
	struct hub *hub;
	const struct params *overrides;
	const bool *is_overridden;
	struct htab things;
	struct directory *directory;
	struct spend_book *spends;
	struct retired *retired;
	struct world *world, *prepared;
};

int catalog_create(struct catalog **ret, struct db *db, struct hub *hub,
		   const struct params *overrides, const bool *is_overridden)
{
	struct catalog *c = calloc(1, sizeof(*c));
	int r = c ? htab_init(&c->things, 256) : -ENOMEM;

	if (r < 0) {
		free(c);
		return r;
	}
	r = directory_create(&c->directory, db);
	if (r == 0)
		r = spend_book_create(&c->spends);
	if (r < 0) {
		directory_free(c->directory);
		htab_done(&c->things);
		free(c);
		return r;
	}
	c->db = db;
	c->hub = hub;
	c->overrides = overrides;
	c->is_overridden = is_overridden;
	*ret = c;
	return 0;
}

static void free_retired(struct catalog *c)
{
	while (c->retired) {
		struct retired *r = c->retired;

		c->retired = r->next;
		meter_free(r->meter);
		tariff_free(r->tariff);
		free(r);
	}
}

static void thing_free(struct thing *t)
{
	scores_done(&t->gate.scores);
	spent_done(&t->gate.wrong);
	meter_free(t->meter);
	tariff_free(t->tariff);
	tariff_free(t->next_tariff);
	free(t->gate.name);
	free(t->name);
	free(t);
}

struct catalog *catalog_free(struct catalog *c)
{
	struct hnode *it;

	if (!c)
		return NULL;
	world_free(c->prepared);
	world_free(snapshot_swap(&c->hub->world, NULL));
	free_retired(c);
	while ((it = htab_walk(&c->things, NULL))) {
		htab_del(&c->things, it);
		thing_free(CONTAINER(it, struct thing, node));
	}
	htab_done(&c->things);
	directory_free(c->directory);
	spend_book_free(c->spends);
	free(c);
	return NULL;
}

/* ---- live things ---- */

static struct thing *get(struct catalog *c, char kind, const char *name)
{
	uint64_t hash = htab_hash2(str_n(&kind, 1), str_of(name));
	struct hnode *it;

	HTAB_EACH_MATCH(it, &c->things, hash)
	{
		struct thing *t = CONTAINER(it, struct thing, node);

		if (t->kind == kind && strcmp(t->name, name) == 0)
			return t;
	}

	struct thing *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->kind = kind;
	spent_init(&t->gate.wrong);
	t->name = strdup(name);
	t->gate.name = strdup(name);
	if (!t->name || !t->gate.name) {
		thing_free(t);
		return NULL;
	}
	htab_add(&c->things, &t->node, hash);
	return t;
}

static void retire(struct catalog *c, struct meter *m, struct tariff *t)
{
	struct retired *r = m || t ? calloc(1, sizeof(*r)) : NULL;

	if (!r) /* without memory for the note the thing stays: a leak, never a dangling pointer */
		return;
	*r = (struct retired){ .next = c->retired, .meter = m, .tariff = t };
	c->retired = r;
}

static struct purse *find_purse(void *ctx, const char *account)
{
	const struct catalog *c = ctx;

	return ledger_purse(c->hub->ledger, account);
}

static struct gate *find_gate(void *ctx, char kind, const char *name)
{
	struct thing *t = get(ctx, kind, name);

	return t ? &t->gate : NULL;
}

static struct reach *find_reach(void *ctx, const char *gateway, const char *address)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT;

	buf_printf(&name, "%s\n%s", gateway, address);

	const char *text = buf_cstr(&name);
	struct thing *t = text ? get(ctx, 'h', text) : NULL;

	return t ? &t->reach : NULL;
}

static struct meter *find_meter(void *ctx, char kind, const char *name, uint32_t limit)
{
	struct thing *t;
	struct meter *m;

	if (limit == 0)
		return NULL;
	t = get(ctx, (char)(kind - 'a' + 'A'), name);
	if (!t || (t->meter && meter_limit(t->meter) == limit))
		return t ? t->meter : NULL;
	if (meter_create(&m, limit) < 0)
		return t->meter;
	retire(ctx, t->meter, NULL);
	t->meter = m;
	return m;
}

static struct bundle *find_bundle(void *ctx, const char *account, const char *package)
{
	const struct catalog *c = ctx;

	return ledger_bundle(c->hub->ledger, account, package);
}

static struct spent *find_spent(void *ctx, const char *rule, const char *account)
{
	const struct catalog *c = ctx;
	struct spend_count *n = spend_book_get(c->spends, rule, account);

	return n ? &n->spent : NULL;
}

static const struct tariff *find_tariff(void *ctx, const char *group)
{
	struct thing *t = get(ctx, 't', group);

	if (!t)
		return NULL;
	return t->has_next ? t->next_tariff : t->tariff;
}

static const struct numlist *find_list(void *ctx, const char *name)
{
	const struct catalog *c = ctx;

	return directory_list(c->directory, name);
}

static bool find_host(void *ctx, struct str host, uint16_t port, enum proto proto,
		      struct dns_answer *ret)
{
	const struct catalog *c = ctx;

	return c->hub->resolver && resolver_find(c->hub->resolver, host, port, proto, ret);
}

static const struct transform *find_transform(void *ctx, const char *name)
{
	const struct catalog *c = ctx;

	return directory_transform(c->directory, name);
}

/* ---- compiling ---- */

static int load_params(struct catalog *c, struct params **ret)
{
	CLEANUP(params_free) struct params *p = params_create();
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = p ? stmt_prepare(&s, c->db, "SELECT name, value FROM parameter") : -ENOMEM;

	while (r == 0 && (r = stmt_step(s)) == 1) {
		enum param id = param_find(stmt_text(s, 0));
		struct err err = ERR_INIT;

		r = 0;
		/* A value of an older version that is no longer accepted falls back to the default, and is said aloud. */
		if (id != PARAM_COUNT && params_set(p, id, stmt_text(s, 1), &err) == -EINVAL)
			log_at(LOG_WARNING, NULL, "stored parameter %s is not accepted: %s",
			       param_infos[id].name, err.message);
	}
	for (int i = 0; r == 0 && i < PARAM_COUNT; i++) {
		if (c->is_overridden[i])
			r = params_set(p, (enum param)i, param_str(c->overrides, (enum param)i),
				       NULL);
	}
	if (r == 0)
		*ret = TAKE(p);
	return r;
}

static int compile_tariff(struct catalog *c, const struct rate_group_row *group,
			  const struct params *p, struct err *err)
{
	struct thing *t = get(c, 't', group->name);
	struct tariff_rules rules;
	int r;

	if (!t)
		return -ENOMEM;
	world_rules(p, group, &rules);
	r = load_tariff(&t->next_tariff, c->db, str_of(group->name), &rules, clock_wall_ms(), err);
	t->has_next = r == 0;
	return r;
}

/* Tariffs to be compiled: of one group or all; or those with a rate for callers of an origin group. */
struct wanted {
	const char *group, *origin; /* NULL: whichever */
};

static bool is_wanted(struct catalog *c, const struct wanted *w, const char *group)
{
	const struct tariff *now = w->origin ? catalog_tariff(c, group) : NULL;

	if (w->origin)
		return now && tariff_may_have_origin(now, w->origin);
	return !w->group || strcmp(w->group, group) == 0;
}

static int compile_tariffs(struct catalog *c, const struct wanted *wanted, const struct params *p,
			   struct err *err)
{
	CLEANUP(loaded_done) struct loaded groups = { .entity = &entities[ENTITY_RATE_GROUP] };
	int r = loaded_read(&groups, c->db);

	for (size_t i = 0; r == 0 && i < groups.count; i++) {
		const struct rate_group_row *g = groups.row[i];

		if (is_wanted(c, wanted, g->name))
			r = compile_tariff(c, g, p, err);
	}
	return r;
}

/* What a world is made of: an entity, and where its rows go. */
#define PART(id, rows)                                           \
	{                                                        \
		ENTITY_##id, offsetof(struct world_input, rows), \
			offsetof(struct world_input, rows##s)    \
	}

static const struct {
	enum entity_id entity;
	size_t rows, count;
} parts[] = {
	PART(ACCOUNT, account),         PART(PHONE, phone),
	PART(MAPPING_GATEWAY, mapping), PART(ROUTING_GATEWAY, routing),
	PART(GATEWAY_GROUP, group),     PART(ROUTE_PLAN, plan),
	PART(SPEND_RULE, spend_rule),   PART(SECURITY_PROFILE, profile),
	PART(PACKAGE, package),         PART(PACKAGE_ORDER, package_order),
	PART(RATE_GROUP, rate_group),
};

enum { PARTS = sizeof(parts) / sizeof(parts[0]) };

/* Reads all of them, and says so in *in; the rows are still loaded[]'s. */
static int read_parts(struct catalog *c, struct loaded loaded[PARTS], struct world_input *in)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < PARTS; i++) {
		loaded[i].entity = &entities[parts[i].entity];
		r = loaded_read(&loaded[i], c->db);
		memcpy((char *)in + parts[i].rows, &loaded[i].row, sizeof(loaded[i].row));
		memcpy((char *)in + parts[i].count, &loaded[i].count, sizeof(loaded[i].count));
	}
	return r;
}

static int create_world(struct catalog *c, struct world_input *in, struct err *err)
{
	if (c->hub->resolver)
		resolver_begin(c->hub->resolver);

	int r = world_create(&c->prepared, in, err);
	if (r == 0 && c->hub->resolver)
		resolver_end(c->hub->resolver);
	return r;
}

static int compile_world(struct catalog *c, struct params *params, struct err *err)
{
	struct loaded loaded[PARTS] = { 0 };
	struct world_input in = { .params = params,
				  .find_bundle = find_bundle,
				  .licensed_cps = atomic_load(&c->hub->licensed_cps),
				  .find_purse = find_purse,
				  .find_gate = find_gate,
				  .find_reach = find_reach,
				  .find_tariff = find_tariff,
				  .find_meter = find_meter,
				  .find_spent = find_spent,
				  .find_list = find_list,
				  .find_transform = find_transform,
				  .find_host = find_host,
				  .ctx = c };
	int r = read_parts(c, loaded, &in);

	if (r == 0) {
		directory_tell(c->directory, &in);
		r = create_world(c, &in, err);
		for (size_t i = 0; i < PARTS; i++)
			loaded[i].count = 0; /* handed over */
	} else {
		params_free(params);
	}
	for (size_t i = 0; i < PARTS; i++)
		loaded_done(&loaded[i]);
	return r;
}

static unsigned directory_parts(unsigned changed)
{
	return (changed & CHANGED_LISTS ? DIRECTORY_LISTS : 0u) |
	       (changed & CHANGED_AREAS ? DIRECTORY_AREAS : 0u) |
	       (changed & CHANGED_ORIGINS ? DIRECTORY_ORIGINS : 0u) |
	       (changed & CHANGED_TRANSFORMS ? DIRECTORY_TRANSFORMS : 0u);
}

int catalog_prepare(struct catalog *c, unsigned changed, const char *group, struct err *err)
{
	struct params *params = NULL;
	struct wanted wanted = { .group = changed & CHANGED_PARAMS ? NULL : group };
	int r = load_params(c, &params);

	if (r != 0)
		return r;
	if (changed == CHANGED_ORIGINS)
		wanted = (struct wanted){ .origin = group };
	/* Parameters are the default of every group's rounding. */
	if (changed & (CHANGED_RATES | CHANGED_PARAMS | CHANGED_ORIGINS))
		r = compile_tariffs(c, &wanted, params, err);
	if (r == 0)
		r = directory_prepare(c->directory, directory_parts(changed), group, err);
	if (r < 0)
		params_free(params);
	else
		r = compile_world(c, params, err);
	if (r < 0)
		catalog_discard(c);
	return r;
}

/* Walks the tariffs that were compiled for the prepared world: they take over, or go. */
static void settle_tariffs(struct catalog *c, bool take_over)
{
	struct hnode *it;

	HTAB_EACH (it, &c->things) {
		struct thing *t = CONTAINER(it, struct thing, node);

		if (!t->has_next)
			continue;
		if (take_over) {
			retire(c, NULL, t->tariff);
			t->tariff = t->next_tariff;
		} else {
			tariff_free(t->next_tariff);
		}
		t->next_tariff = NULL;
		t->has_next = false;
	}
}

void catalog_discard(struct catalog *c)
{
	c->prepared = world_free(c->prepared);
	settle_tariffs(c, false);
	directory_settle(c->directory, false);
}

void catalog_publish(struct catalog *c)
{
	if (!c->prepared)
		return;

	struct world *old = c->world;

	settle_tariffs(c, true);
	directory_settle(c->directory, true);
	c->world = TAKE(c->prepared);
	catalog_tell_rules(c, clock_wall_ms());
	int64_t low = 0, high = 0;
	struct str range = param_str(c->world->params, PARAM_SS_MEDIA_PORT_RANGE), part;

	if (str_split(&range, ',', &part) && str_to_i64(part, 1024, 65534, &low) == 0 &&
	    str_to_i64(str_trim(range), 1024, 65535, &high) == 0)
		media_set_ports(c->hub->media, (uint16_t)low, (uint16_t)high);
	(void)snapshot_swap(&c->hub->world, c->world);
	snapshot_wait();
	world_free(old);
	free_retired(c);
	directory_retire(c->directory);
}

int catalog_keep_tariff(struct catalog *c, const char *group, struct tariff *tariff)
{
	struct thing *t = get(c, 't', group);

	if (!t) {
		tariff_free(tariff);
		return -ENOMEM;
	}
	if (t->has_next)
		tariff_free(t->next_tariff);
	t->next_tariff = tariff;
	t->has_next = true;
	return 0;
}

const struct tariff *catalog_tariff(struct catalog *c, const char *group)
{
	struct thing *t = get(c, 't', group);

	return t ? t->tariff : NULL;
}

struct db *catalog_read_by(struct catalog *c, struct db *db)
{
	struct db *before = c->db;

	c->db = db;
	return before;
}

int catalog_put_tariff(struct catalog *c, const char *group, struct tariff *tariff, struct err *err)
{
	int r = catalog_keep_tariff(c, group, tariff);

	if (r == 0)
		r = catalog_prepare(c, 0, NULL, err);
	if (r == 0)
		catalog_publish(c);
	return r;
}

struct spend_book *catalog_spends(const struct catalog *c)
{
	return c->spends;
}

struct directory *catalog_directory(const struct catalog *c)
{
	return c->directory;
}

const struct world *catalog_world(const struct catalog *c)
{
	return c->world;
}

const struct world *catalog_prepared(const struct catalog *c)
{
	return c->prepared;
}

void catalog_tell_rules(struct catalog *c, ms_t wall_ms)
{
	for (size_t i = 0; c->world && i < c->world->payers; i++) {
		const struct account_row *a = c->world->payer[i].row;
		bool is_allowed =
			a->overdraft_until == FIELD_ABSENT || wall_ms < a->overdraft_until;
		/* Clearing accounts never lock by themselves (behaviour.md, Money). */
		struct account_rule rule = {
			.limit_money = a->limit_money,
			.overdraft = is_allowed && a->overdraft != FIELD_ABSENT ? a->overdraft : 0,
			.anti_overdraft = a->anti_overdraft && a->kind != ACCOUNT_KIND_CLEARING,
			/* An agent loses by calls that are not its own, which are not cut for it. */
			.cut_off = a->cut_off && a->anti_overdraft && a->kind != ACCOUNT_KIND_AGENT,
			.is_agent = a->kind == ACCOUNT_KIND_AGENT,
			.unlock_positive = a->unlock_at == ACCOUNT_UNLOCK_AT_POSITIVE
		};

		ledger_set_rule(c->hub->ledger, a->id, &rule);
	}
}
