#include "call/world_package.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int split(const char *text, struct str **ret, int *ret_n)
{
	struct str list = str_of(text), item;

	*ret = calloc(str_count(list, ',') + 1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	while (str_split(&list, ',', &item)) {
		if (!str_is_empty(item))
			(*ret)[(*ret_n)++] = item;
	}
	return 0;
}

static int compile(struct package *p, struct err *err)
{
	int r = timeplan_zone(&p->zone, p->row->zone, "zone", err);

	if (r == 0 && p->row->free_time == 0 && p->row->free_money == 0)
		r = err_set(err, ERR_MISSING_FIELD, "free_time", STR(""), "free_time or free_money",
			    "package %s gives nothing", p->row->name);
	if (r == 0)
		r = split(p->row->prefixes, &p->prefix, &p->prefixes);
	return r < 0 ? r : split(p->row->areas, &p->area, &p->areas);
}

static void package_done(struct package *p)
{
	zone_free(p->zone);
	free(p->prefix);
	free(p->area);
	row_free(&entities[ENTITY_PACKAGE], p->row);
}

static const struct package *find(const struct world *w, const char *name)
{
	for (size_t i = 0; i < w->packages; i++) {
		const struct package *p = &w->package[i];

		if (p->row && strcmp(p->row->name, name) == 0)
			return p;
	}
	return NULL;
}

/* By account, and of an account in the order of application. */
static int by_account(const void *a, const void *b)
{
	const struct package_order *x = a, *y = b;
	int r = strcmp(x->row->account, y->row->account);

	if (r != 0)
		return r;
	if (x->row->priority != y->row->priority)
		return x->row->priority < y->row->priority ? -1 : 1;
	return strcmp(x->row->package, y->row->package);
}

static int check_order(const struct package_order *o, struct err *err)
{
	const struct package_order_row *row = o->row;

	if (!o->package)
		return err_set(err, ERR_BAD_VALUE, "package", str_of(row->package),
			       "the name of a package", "there is no such package");
	if (!o->payer)
		return err_set(err, ERR_BAD_VALUE, "account", str_of(row->account),
			       "the id of an account", "there is no such account");
	if (o->payer->row->kind == ACCOUNT_KIND_CLEARING)
		return err_set(err, ERR_CONFLICT, "account", str_of(row->account),
			       "an account of a customer",
			       "the calls of a clearing account are the vendor's");
	if (!str_eq(str_of(o->payer->row->currency), str_of(o->package->row->currency)))
		return err_set(err, ERR_CONFLICT, "package", str_of(row->package),
			       o->payer->row->currency, "package %s is in another currency",
			       row->package);
	return 0;
}

static void link_orders(struct world *w)
{
	for (size_t i = 0; i < w->package_orders; i++) {
		const struct package_order *o = &w->package_order[i];
		struct payer *p = &w->payer[o->payer - w->payer];

		if (p->orders++ == 0)
			p->order = o;
	}
}

int take_packages(struct world *w, struct world_input *in, struct err *err)
{
	w->package = calloc(in->packages ? in->packages : 1, sizeof(*w->package));
	w->package_order =
		calloc(in->package_orders ? in->package_orders : 1, sizeof(*w->package_order));
	if (!w->package || !w->package_order)
		return -ENOMEM;
	for (size_t i = 0; i < in->packages; i++) {
		struct package *p = &w->package[w->packages++];

		p->row = TAKE(in->package[i]);
		p->plan = p->row->plan ? world_plan(w, str_of(p->row->plan)) : NULL;
		int r = compile(p, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < in->package_orders; i++) {
		struct package_order *o = &w->package_order[w->package_orders++];

		o->row = TAKE(in->package_order[i]);
		o->package = find(w, o->row->package);
		o->payer = world_payer(w, o->row->account);
		int r = check_order(o, err);
		if (r < 0)
			return r;
		o->bundle = in->find_bundle(in->ctx, o->row->account, o->row->package);
		if (!o->bundle)
			return -ENOMEM;
	}
	qsort(w->package_order, w->package_orders, sizeof(*w->package_order), by_account);
	link_orders(w);
	return 0;
}

void packages_done(struct world *w)
{
	for (size_t i = 0; i < w->package_orders; i++)
		row_free(&entities[ENTITY_PACKAGE_ORDER], w->package_order[i].row);
	for (size_t i = 0; i < w->packages; i++)
		package_done(&w->package[i]);
	free(w->package_order);
	free(w->package);
}

bool package_is_for(const struct package *p, struct str callee, const char *area)
{
	if (p->prefixes == 0 && p->areas == 0)
		return true;
	for (int i = 0; i < p->prefixes; i++) {
		if (str_has_prefix(callee, p->prefix[i]))
			return true;
	}
	for (int i = 0; i < p->areas; i++) {
		if (area && str_eq(p->area[i], str_of(area)))
			return true;
	}
	return false;
}

bool package_order_is_in_force(const struct package_order *o, ms_t wall_ms)
{
	const struct account_row *a = o->payer->row;

	return (o->row->from == FIELD_ABSENT || wall_ms >= o->row->from) &&
	       (o->row->until == FIELD_ABSENT || wall_ms < o->row->until) &&
	       (a->valid_from == FIELD_ABSENT || wall_ms >= a->valid_from) &&
	       (a->valid_until == FIELD_ABSENT || wall_ms < a->valid_until);
}

int world_check_package(const struct package_row *row, struct err *err)
{
	struct package p = { .row = row_copy(&entities[ENTITY_PACKAGE], row) };
	int r = p.row ? compile(&p, err) : -ENOMEM;

	package_done(&p);
	return r;
}
