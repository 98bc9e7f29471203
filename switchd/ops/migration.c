#include "ops/migration.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ops/loaded.h"
#include "ops/opening.h"
#include "sheet/load.h"
#include "store/rows.h"

enum { SLICE = 1000 };

/* What others name comes first. */
static const enum entity_id order[] = { ENTITY_RATE_GROUP,      ENTITY_ACCOUNT,
					ENTITY_GATEWAY_GROUP,   ENTITY_MAPPING_GATEWAY,
					ENTITY_ROUTING_GATEWAY, ENTITY_PHONE };

enum { KINDS = sizeof(order) / sizeof(order[0]) };

/* ---- rows, on the main thread ---- */

static int check_and_add(struct ops *o, struct db *db, struct item *x, struct err *err)
{
	const struct entity *e = &entities[x->entity];
	struct db *usual = o->db;

	if (x->entity == ENTITY_PHONE && !((struct phone_row *)x->row)->password)
		return err_set(err, ERR_MISSING_FIELD, "password", STR(""), "a password",
			       "a phone needs one");
	if (x->entity == ENTITY_ACCOUNT)
		((struct account_row *)x->row)->created = clock_wall_ms();
	o->db = db; /* what is added is checked against what was added before */
	int r = entity_check(o, e, x->row, err);
	o->db = usual;
	return r < 0 ? r : rows_add(db, e, x->row, err);
}

static int add_opening(struct migration *m, const struct item *x)
{
	const struct account_row *a = x->row;

	if (x->entity != ENTITY_ACCOUNT || x->balance == 0)
		return 0;
	m->openings++;
	if (money_add(m->opening_sum, x->balance, &m->opening_sum) < 0)
		return -ERANGE;
	return opening_add(m->db, str_of(a->id), x->balance, m->now);
}

static int add_item(struct migration *m, struct item *x)
{
	struct err err = ERR_INIT;
	int r = check_and_add(m->ops, m->db, x, &err);

	if (r == 0)
		return add_opening(m, x);
	if (!err_is_set(&err) || err.code == ERR_STORE || r == -ENOMEM)
		return r;
	x->is_out = true;
	return intake_blame(&m->intake, str_of(x->table), x->line, &err);
}

int migration_add_some(struct migration *m)
{
	int n = 0, r = 0;

	for (; m->kind < KINDS; m->kind++, m->next = 0) {
		for (; r == 0 && m->next < m->intake.items; m->next++) {
			struct item *x = m->intake.item[m->next];

			if (x->entity != (int)order[m->kind] || x->is_out)
				continue;
			if (n++ == SLICE)
				return 1;
			r = add_item(m, x);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

int migration_read_groups(struct migration *m)
{
	CLEANUP(loaded_done) struct loaded all = { .entity = &entities[ENTITY_RATE_GROUP] };
	const struct params *params = catalog_world(m->ops->catalog)->params;
	struct shadow *s = &m->shadow;
	int r = loaded_read(&all, m->db);

	s->group = r == 0 ? calloc(all.count + 1, sizeof(*s->group)) : NULL;
	if (r == 0 && !s->group)
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < all.count; i++) {
		const struct rate_group_row *g = all.row[i];

		world_rules(params, g, &s->group[i].rules);
		s->group[i].name = strdup(g->name);
		r = s->group[i].name ? 0 : -ENOMEM;
		s->groups += r == 0;
	}
	return r;
}

/* ---- rates, on the clerk's ---- */

struct adder {
	struct migration *m;
	struct stmt *insert;
};

static int on_rate(void *ctx, struct rate_row *row, const struct finding *where)
{
	struct adder *a = ctx;
	struct migration *m = a->m;
	struct err err = ERR_INIT;
	int r = rate_check(row, &err);

	row->version = m->version;
	if (r == 0) {
		rows_bind(&entities[ENTITY_RATE], a->insert, 1, row);
		r = stmt_run(a->insert);
		if (r == -EEXIST || r == -ENOLINK || r == -EDOM)
			r = rows_add(m->db, &entities[ENTITY_RATE], row, &err); /* says why */
	}
	m->version += r == 0;
	if (r == 0 || !err_is_set(&err) || err.code == ERR_STORE)
		return r;
	return intake_blame(&m->intake, str_of(where->table), where->line, &err);
}

static int first_version(struct db *d, int64_t *ret)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, d, "SELECT coalesce(max(version), 0) + 1 FROM rate");

	if (r == 0)
		r = stmt_step(s);
	if (r < 0)
		return r;
	*ret = stmt_int(s, 0);
	return 0;
}

int migration_add_rates(struct migration *m, struct err *err)
{
	struct adder a = { .m = m };
	int r = first_version(m->db, &m->version);

	if (r == 0)
		r = rows_prepare_insert(&a.insert, m->db, &entities[ENTITY_RATE],
					"INSERT INTO rate", "", "");
	if (r == 0)
		r = intake_each_rate(&m->intake, on_rate, &a, err);
	stmt_free(a.insert);
	return r;
}

int migration_compile(struct migration *m, struct err *err)
{
	struct shadow *s = &m->shadow;
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->groups; i++) {
		if (!s->group[i].tariff)
			r = load_tariff(&s->group[i].tariff, m->db, str_of(s->group[i].name),
					&s->group[i].rules, LOAD_PAST_MS, err);
	}
	return r;
}
