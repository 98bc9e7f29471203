#include "call/world_group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_group(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return strcmp(x->row->name, y->row->name);
}

int take_groups(struct world *w, struct world_input *in)
{
	w->group = calloc(in->groups ? in->groups : 1, sizeof(*w->group));
	if (!w->group)
		return -ENOMEM;
	for (size_t i = 0; i < in->groups; i++) {
		struct group *g = &w->group[w->groups++];

		g->row = TAKE(in->group[i]);
		g->limit = g->row->line_limit;
		g->gate = in->find_gate(in->ctx, 'g', g->row->name);
		if (!g->gate)
			return -ENOMEM;
	}
	qsort(w->group, w->groups, sizeof(*w->group), by_group);
	return 0;
}

static int by_plan(const void *a, const void *b)
{
	const struct timeplan *const *x = a, *const *y = b;

	return strcmp(timeplan_row(*x)->name, timeplan_row(*y)->name);
}

int take_plans(struct world *w, struct world_input *in, struct err *err)
{
	w->plan = calloc(in->plans ? in->plans : 1, sizeof(struct timeplan *));
	w->plan_rows = calloc(in->plans ? in->plans : 1, sizeof(struct route_plan_row *));
	if (!w->plan || !w->plan_rows)
		return -ENOMEM;
	for (size_t i = 0; i < in->plans; i++) {
		w->plan_rows[i] = TAKE(in->plan[i]);
		w->plans++;

		int r = timeplan_create(&w->plan[i], w->plan_rows[i], err);

		if (r < 0)
			return r;
	}
	qsort(w->plan, w->plans, sizeof(struct timeplan *), by_plan);
	return 0;
}

static struct group *find_group(const struct world *w, struct str name)
{
	for (size_t low = 0, high = w->groups; low < high;) {
		size_t at = (low + high) / 2;
		int r = str_cmp(name, str_of(w->group[at].row->name));

		if (r == 0)
			return &w->group[at];
		if (r < 0)
			high = at;
		else
			low = at + 1;
	}
	return NULL;
}

const struct group *world_group(const struct world *w, struct str name)
{
	return find_group(w, name);
}

static struct timeplan *find_plan(const struct world *w, struct str name)
{
	for (size_t i = 0; i < w->plans; i++)
		if (str_eq(name, str_of(timeplan_row(w->plan[i])->name)))
			return w->plan[i];
	return NULL;
}

const struct timeplan *world_plan(const struct world *w, struct str name)
{
	return find_plan(w, name);
}

static int refuse(const char *field, struct str name, const char *gateway, const char *why,
		  struct err *err)
{
	return err_set(err, ERR_BAD_VALUE, field, name, "names that are there, separated by commas",
		       "gateway %s: %s", gateway, why);
}

int source_join_groups(const struct world *w, struct source *s, struct err *err)
{
	struct str list = str_of(s->row->groups), item;

	s->group = calloc(str_count(list, ',') + 1, sizeof(struct group *));
	if (!s->group)
		return -ENOMEM;
	while (str_split(&list, ',', &item)) {
		const struct group *g = world_group(w, str_trim(item));

		if (!g)
			return refuse("groups", item, s->row->name, "no such gateway group", err);
		s->group[s->group_count++] = g;
	}
	return 0;
}

static int join_plans(const struct world *w, struct vendor *v, struct err *err)
{
	struct str list = str_of(v->row->plans), item;

	while (str_split(&list, ',', &item)) {
		struct timeplan *p = find_plan(w, str_trim(item));

		if (!p)
			return refuse("plans", item, v->row->name, "no such time plan", err);
		if (v->plan_count == PLANS_MAX)
			return refuse("plans", item, v->row->name, "more than 8 time plans", err);
		v->plan[v->plan_count++] = p;
	}
	return 0;
}

int vendor_join_groups(const struct world *w, struct vendor *v, struct err *err)
{
	struct str list = str_of(v->row->groups), item;

	while (str_split(&list, ',', &item)) {
		struct group *g = find_group(w, str_trim(item));

		if (!g)
			return refuse("groups", item, v->row->name, "no such gateway group", err);
		if (v->group_count == GROUPS_MAX)
			return refuse("groups", item, v->row->name, "more than 4 gateway groups",
				      err);
		v->group[v->group_count++] = g;
	}
	return join_plans(w, v, err);
}

void groups_sum_up(struct world *w)
{
	for (size_t i = 0; i < w->vendors; i++) {
		for (int n = 0; n < w->vendor[i].group_count; n++) {
			struct group *g = w->vendor[i].group[n];

			g->has_endless |= w->vendor[i].row->line_limit == 0;
			if (g->row->line_limit == 0)
				g->limit += w->vendor[i].row->line_limit;
		}
	}
	for (size_t i = 0; i < w->groups; i++)
		if (w->group[i].row->line_limit == 0 && w->group[i].has_endless)
			w->group[i].limit = 0;
}

void groups_done(struct world *w)
{
	for (size_t i = 0; i < w->groups; i++)
		row_free(&entities[ENTITY_GATEWAY_GROUP], w->group[i].row);
	for (size_t i = 0; i < w->plans; i++) {
		timeplan_free(w->plan[i]);
		row_free(&entities[ENTITY_ROUTE_PLAN], w->plan_rows[i]);
	}
	free(w->group);
	free(w->plan);
	free(w->plan_rows);
}
