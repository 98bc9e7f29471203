#include "call/world_profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct entity *const entity = &entities[ENTITY_SECURITY_PROFILE];

static int join(struct payer *p, const struct profile *f, struct err *err)
{
	const struct profile **list;

	if (p->profiles == PROFILES_MAX)
		return err_set(err, ERR_CONFLICT, "profiles", str_of(p->row->id),
			       "at most 8 security profiles for an account",
			       "%s is one too many for account %s", f->row->name, p->row->id);
	list = realloc((void *)p->profile,
		       (size_t)(p->profiles + 1) * sizeof(const struct profile *));
	if (!list)
		return -ENOMEM;
	list[p->profiles++] = f;
	p->profile = list;
	return 0;
}

static const struct profile *find(const struct world *w, struct str name)
{
	for (size_t i = 0; i < w->profiles; i++) {
		if (str_eq(name, str_of(w->profile[i].row->name)))
			return &w->profile[i];
	}
	return NULL;
}

static int join_named(struct world *w, struct payer *p, struct err *err)
{
	struct str list = str_of(p->row->profiles), name;
	int r = 0;

	while (r == 0 && str_split(&list, ',', &name)) {
		const struct profile *f = find(w, name);

		if (str_is_empty(name) || (f && f->row->applies != SECURITY_PROFILE_APPLIES_NAMED))
			continue;
		r = f ? join(p, f, err)
		      : err_set(err, ERR_BAD_VALUE, "profiles", name,
				"names of security profiles, separated by commas",
				"account %s: no such security profile", p->row->id);
	}
	return r;
}

static int join_all(struct world *w, struct payer *p, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < w->profiles; i++) {
		if (w->profile[i].row->applies == SECURITY_PROFILE_APPLIES_ALL &&
		    p->row->kind != ACCOUNT_KIND_CLEARING)
			r = join(p, &w->profile[i], err);
	}
	return r;
}

int take_profiles(struct world *w, struct world_input *in, struct err *err)
{
	int r = 0;

	w->profile = calloc(in->profiles ? in->profiles : 1, sizeof(*w->profile));
	if (!w->profile)
		return -ENOMEM;
	w->profiles = 0;
	for (size_t i = 0; r == 0 && i < in->profiles; i++) {
		struct profile *f = &w->profile[w->profiles++];

		f->row = TAKE(in->profile[i]);
		f->plan = f->row->plan ? world_plan(w, str_of(f->row->plan)) : NULL;
		r = screen_compile(&f->screen, entity, f->row, err);
	}
	for (size_t i = 0; r == 0 && i < w->payers; i++) {
		r = join_all(w, &w->payer[i], err);
		if (r == 0)
			r = join_named(w, &w->payer[i], err);
	}
	return r;
}

void profiles_done(struct world *w)
{
	for (size_t i = 0; i < w->payers; i++)
		free((void *)w->payer[i].profile);
	for (size_t i = 0; i < w->profiles; i++) {
		screen_done(&w->profile[i].screen);
		row_free(entity, w->profile[i].row);
	}
	free(w->profile);
}

bool profile_is_in_force(const struct profile *p, ms_t wall_ms)
{
	return p->row->status == SECURITY_PROFILE_STATUS_NORMAL &&
	       (!p->plan || timeplan_is_in_force(p->plan, wall_ms));
}

int world_check_profile(const struct security_profile_row *row, struct err *err)
{
	struct screen s = { 0 };
	int r = screen_compile(&s, entity, row, err);

	screen_done(&s);
	return r;
}
