#include "ops/directory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/htab.h"
#include "number/areas.h"
#include "number/chain.h"
#include "number/origins.h"
#include "number/pairs.h"
#include "number/transform.h"
#include "ops/loaded.h"
#include "sheet/load.h"

/* One compiled thing, by kind and name. */
enum kind {
	KIND_LIST,
	KIND_WHITE,
	KIND_TRAPS,
	KIND_AREAS,
	KIND_ORIGINS,
	KIND_TRANSFORM,
	KIND_CHAIN,
	KIND_PAIRS
};

struct shelf {
	struct hnode node;
	enum kind kind;
	char *name;
	void *now, *next;
	bool has_next;
};

/* Replaced, but some worker may still look at it. */
struct old {
	struct old *next;
	enum kind kind;
	void *thing;
};

struct directory {
	struct db *db;
	struct htab shelves;
	struct old *old;
};

static const char *const chain_names[CHAIN_COUNT] = { "callee_in", "caller_in", "callee_out",
						      "caller_out" };

static void thing_free(enum kind kind, void *thing)
{
	switch (kind) {
	case KIND_LIST:
	case KIND_WHITE:
	case KIND_TRAPS:
		numlist_free(thing);
		break;
	case KIND_AREAS:
		areas_free(thing);
		break;
	case KIND_ORIGINS:
		origins_free(thing);
		break;
	case KIND_TRANSFORM:
		transform_free(thing);
		break;
	case KIND_CHAIN:
		chain_free(thing);
		break;
	case KIND_PAIRS:
		pairs_free(thing);
		break;
	}
}

static struct shelf *find(const struct directory *d, enum kind kind, const char *name)
{
	uint64_t hash = htab_hash2(str_n(&kind, sizeof(kind)), str_of(name));
	struct hnode *it;

	HTAB_EACH_MATCH(it, &d->shelves, hash)
	{
		struct shelf *s = CONTAINER(it, struct shelf, node);

		if (s->kind == kind && strcmp(s->name, name) == 0)
			return s;
	}
	return NULL;
}

static struct shelf *get(struct directory *d, enum kind kind, const char *name)
{
	struct shelf *s = find(d, kind, name);

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->kind = kind;
	s->name = strdup(name);
	if (!s->name) {
		free(s);
		return NULL;
	}
	htab_add(&d->shelves, &s->node, htab_hash2(str_n(&kind, sizeof(kind)), str_of(name)));
	return s;
}

/* Keeps a thing for the world that is being prepared; takes it, also when it fails. */
static int put(struct directory *d, enum kind kind, const char *name, void *thing)
{
	struct shelf *s = get(d, kind, name);

	if (!s) {
		thing_free(kind, thing);
		return -ENOMEM;
	}
	if (s->has_next)
		thing_free(kind, s->next);
	s->next = thing;
	s->has_next = true;
	return 0;
}

static const void *thing_of(const struct directory *d, enum kind kind, const char *name)
{
	const struct shelf *s = find(d, kind, name);

	return !s ? NULL : s->has_next ? s->next : s->now;
}

int directory_create(struct directory **ret, struct db *db)
{
	struct directory *d = calloc(1, sizeof(*d));
	int r = d ? htab_init(&d->shelves, 64) : -ENOMEM;

	if (r < 0) {
		free(d);
		return r;
	}
	d->db = db;
	*ret = d;
	return 0;
}

struct directory *directory_free(struct directory *d)
{
	struct hnode *it;

	if (!d)
		return NULL;
	directory_retire(d);
	while ((it = htab_walk(&d->shelves, NULL))) {
		struct shelf *s = CONTAINER(it, struct shelf, node);

		htab_del(&d->shelves, it);
		thing_free(s->kind, s->now);
		if (s->has_next)
			thing_free(s->kind, s->next);
		free(s->name);
		free(s);
	}
	htab_done(&d->shelves);
	free(d);
	return NULL;
}

/* ---- compiling ---- */

/* The numbers of a query's first column, as a list. */
static int read_list(struct stmt *s, struct numlist **ret)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int r;

	while ((r = stmt_step(s)) == 1) {
		buf_put(&text, stmt_text(s, 0));
		buf_putc(&text, ',');
	}
	if (r == 0)
		r = buf_error(&text);
	return r < 0 ? r : numlist_create(ret, buf_str(&text));
}

static int compile_list(struct directory *d, const char *name)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	struct numlist *l = NULL;
	int r = stmt_prepare(&s, d->db,
			     "SELECT number FROM listed_number WHERE list = ? ORDER BY number");

	if (r < 0)
		return r;
	stmt_bind_text(s, 1, str_of(name));
	r = read_list(s, &l);
	return r < 0 ? r : put(d, KIND_LIST, name, l);
}

/* One list of all numbers that a query gives. */
static int compile_query(struct directory *d, enum kind kind, const char *sql)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	struct numlist *l = NULL;
	int r = stmt_prepare(&s, d->db, sql);

	if (r == 0)
		r = read_list(s, &l);
	return r < 0 ? r : put(d, kind, "", l);
}

static int compile_lists(struct directory *d, const char *only)
{
	CLEANUP(loaded_done) struct loaded lists = { .entity = &entities[ENTITY_NUMBER_LIST] };
	int r = loaded_read(&lists, d->db);

	/* One that is no longer there leaves nothing. */
	if (r == 0 && only)
		r = put(d, KIND_LIST, only, NULL);
	for (size_t i = 0; r == 0 && i < lists.count; i++) {
		const struct number_list_row *row = lists.row[i];

		if (!only || strcmp(only, row->name) == 0)
			r = compile_list(d, row->name);
	}
	if (r == 0)
		r = compile_query(d, KIND_TRAPS,
				  "SELECT n.number FROM number_list l JOIN listed_number n"
				  " ON n.list = l.name WHERE l.honeypot");
	if (r == 0 && !only)
		r = compile_query(d, KIND_WHITE, "SELECT number FROM whitelist ORDER BY number");
	return r;
}

static int compile_areas(struct directory *d)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	CLEANUP(areas_draft_done) struct areas_draft draft = { 0 };
	struct areas *a = NULL;
	int r = stmt_prepare(&s, d->db, "SELECT prefix, name FROM area ORDER BY prefix");

	if (r < 0)
		return r;
	while ((r = stmt_step(s)) == 1)
		areas_add(&draft, stmt_text(s, 0), stmt_text(s, 1));
	if (r == 0)
		r = areas_create(&a, &draft);
	return r < 0 ? r : put(d, KIND_AREAS, "", a);
}

static int compile_origins(struct directory *d)
{
	CLEANUP(origin_list_done) struct origin_list all = { 0 };
	struct origins *o = NULL;
	int r = load_origins(&all, d->db);

	if (r == 0 && all.count > 0)
		r = origins_create(&o, all.group, all.count);
	return r < 0 ? r : put(d, KIND_ORIGINS, "", o);
}

int directory_compile(const struct transform_row *row, struct transform **ret, struct err *err)
{
	CLEANUP(transform_free) struct transform *t = NULL;
	struct err found = ERR_INIT;
	const char *field = "rules";
	int r = transform_create(&t, str_of(row->rules), &found);

	if (r == 0 && row->expressions) {
		field = "expressions";
		r = transform_add_expressions(t, str_of(row->expressions), &found);
	}
	if (r < 0)
		return err_is_set(&found) ? err_set(err, found.code, field, str_of(found.given),
						    found.accepted, "%s", found.message)
					  : r;
	*ret = TAKE(t);
	return 0;
}

/* A caller that would be two numbers. */
static int check_pairs(struct directory *d, struct err *err)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	int r = stmt_prepare(&s, d->db,
			     "SELECT caller_in FROM number_pair WHERE caller_in > ''"
			     " GROUP BY caller_in HAVING count(*) > 1");

	if (r == 0)
		r = stmt_step(s);
	if (r == 1)
		return err_set(err, ERR_CONFLICT, "caller_in", stmt_text(s, 0),
			       "a caller that no other number pair has",
			       "two number pairs have this caller");
	return r;
}

static int compile_pairs(struct directory *d, const char *name, const char *sql)
{
	CLEANUP(stmt_free) struct stmt *s = NULL;
	CLEANUP(pairs_free) struct pairs *p = NULL;
	int r = stmt_prepare(&s, d->db, sql), more;

	if (r == 0)
		r = pairs_create(&p);
	while (r == 0 && (more = stmt_step(s)) != 0)
		r = more < 0 ? more : pairs_add(p, stmt_text(s, 0), stmt_text(s, 1));
	if (r < 0)
		return r;
	pairs_sort(p);
	return put(d, KIND_PAIRS, name, TAKE(p));
}

static int compile_both_pairs(struct directory *d, struct err *err)
{
	int r = check_pairs(d, err);

	if (r == 0)
		r = compile_pairs(d, "caller_in",
				  "SELECT caller_in, number FROM number_pair WHERE caller_in > ''");
	return r < 0 ? r
		     : compile_pairs(
			       d, "callee_out",
			       "SELECT number, callee_out FROM number_pair WHERE callee_out > ''");
}

static int by_position(const void *a, const void *b)
{
	const struct transform_row *const *x = a, *const *y = b;
	int64_t p = (*x)->position, q = (*y)->position;

	return p != q ? (p > q) - (p < q) : strcmp((*x)->name, (*y)->name);
}

static int compile_chain(struct directory *d, const struct loaded *all, enum chain_kind kind,
			 struct err *err)
{
	CLEANUP(chain_free) struct chain *c = NULL;
	int r = chain_create(&c);

	for (size_t i = 0; r == 0 && i < all->count; i++) {
		const struct transform_row *row = all->row[i];
		struct transform *t = NULL;

		if (row->applies != TRANSFORM_APPLIES_CALLEE_IN + (int64_t)kind)
			continue;
		r = directory_compile(row, &t, err);
		if (r == 0)
			r = chain_add(c, t);
	}
	return r < 0 ? r : put(d, KIND_CHAIN, chain_names[kind], TAKE(c));
}

static int compile_transforms(struct directory *d, struct err *err)
{
	CLEANUP(loaded_done) struct loaded all = { .entity = &entities[ENTITY_TRANSFORM] };
	int r = loaded_read(&all, d->db);

	if (r == 0 && all.count > 0)
		qsort(all.row, all.count, sizeof(*all.row), by_position);
	for (size_t i = 0; r == 0 && i < all.count; i++) {
		const struct transform_row *row = all.row[i];
		struct transform *t = NULL;

		r = directory_compile(row, &t, err);
		if (r == 0)
			r = put(d, KIND_TRANSFORM, row->name, t);
	}
	for (int k = 0; r == 0 && k < CHAIN_COUNT; k++)
		r = compile_chain(d, &all, (enum chain_kind)k, err);
	return r;
}

int directory_prepare(struct directory *d, unsigned parts, const char *list, struct err *err)
{
	int r = 0;

	if (parts & DIRECTORY_LISTS)
		r = compile_lists(d, list);
	if (r == 0 && parts & DIRECTORY_AREAS)
		r = compile_areas(d);
	if (r == 0 && parts & DIRECTORY_ORIGINS)
		r = compile_origins(d);
	if (r == 0 && parts & DIRECTORY_TRANSFORMS)
		r = compile_transforms(d, err);
	if (r == 0 && parts & DIRECTORY_TRANSFORMS)
		r = compile_both_pairs(d, err);
	return r;
}

/* ---- taking over ---- */

/* Without memory for the note the thing stays: a leak, never a dangling pointer. */
static void retire(struct directory *d, struct shelf *s)
{
	struct old *o = s->now ? calloc(1, sizeof(*o)) : NULL;

	if (o) {
		*o = (struct old){ .next = d->old, .kind = s->kind, .thing = s->now };
		d->old = o;
	}
}

void directory_settle(struct directory *d, bool take_over)
{
	struct hnode *it;

	HTAB_EACH (it, &d->shelves) {
		struct shelf *s = CONTAINER(it, struct shelf, node);

		if (!s->has_next)
			continue;
		if (take_over) {
			retire(d, s);
			s->now = s->next;
		} else {
			thing_free(s->kind, s->next);
		}
		s->next = NULL;
		s->has_next = false;
	}
}

void directory_retire(struct directory *d)
{
	while (d->old) {
		struct old *o = d->old;

		d->old = o->next;
		thing_free(o->kind, o->thing);
		free(o);
	}
}

const struct numlist *directory_list(struct directory *d, const char *name)
{
	return thing_of(d, KIND_LIST, name);
}

const struct transform *directory_transform(struct directory *d, const char *name)
{
	return thing_of(d, KIND_TRANSFORM, name);
}

void directory_tell(struct directory *d, struct world_input *in)
{
	in->whitelist = thing_of(d, KIND_WHITE, "");
	in->traps = thing_of(d, KIND_TRAPS, "");
	in->areas = thing_of(d, KIND_AREAS, "");
	in->callers_in = thing_of(d, KIND_PAIRS, "caller_in");
	in->callees_out = thing_of(d, KIND_PAIRS, "callee_out");
	in->origins = thing_of(d, KIND_ORIGINS, "");
	for (int k = 0; k < CHAIN_COUNT; k++)
		in->chain[k] = thing_of(d, KIND_CHAIN, chain_names[k]);
}
