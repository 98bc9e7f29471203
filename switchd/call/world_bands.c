#include "call/world_bands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/world_group.h"

static int join_plans(const struct world *w, struct bands *b, const struct rate_group_row *row,
		      struct err *err)
{
	struct str list = str_of(row->off_peak), item;

	while (str_split(&list, ',', &item)) {
		const struct timeplan *p = world_plan(w, item);

		if (!p || b->plans == BANDS_PLANS)
			return err_set(err, ERR_BAD_VALUE, "off_peak", item,
				       "names of at most 4 time plans, separated by commas",
				       "rate group %s: %s", row->name,
				       p ? "more than 4 time plans" : "no such time plan");
		b->plan[b->plans++] = p;
	}
	return 0;
}

static const struct rate_group_row *find(const struct world_input *in, const char *name)
{
	for (size_t i = 0; i < in->rate_groups; i++) {
		if (strcmp(in->rate_group[i]->name, name) == 0)
			return in->rate_group[i];
	}
	return NULL;
}

static int check(const struct world_input *in, const struct rate_group_row *row, struct err *err)
{
	const struct rate_group_row *other =
		row->off_peak_group ? find(in, row->off_peak_group) : NULL;

	if (!other || other == row)
		return err_set(err, ERR_MISSING_FIELD, "off_peak_group",
			       str_of(row->off_peak_group), "the name of another rate group",
			       "rate group %s has off-peak hours and no rates for them", row->name);
	if (!str_eq(str_of(other->currency), str_of(row->currency)))
		return err_set(err, ERR_CONFLICT, "off_peak_group", str_of(row->off_peak_group),
			       row->currency, "rate group %s is in another currency", other->name);
	return 0;
}

int take_bands(struct world *w, const struct world_input *in, struct err *err)
{
	w->bands = calloc(in->rate_groups ? in->rate_groups : 1, sizeof(*w->bands));
	if (!w->bands)
		return -ENOMEM;
	for (size_t i = 0; i < in->rate_groups; i++) {
		const struct rate_group_row *row = in->rate_group[i];
		struct bands *b = &w->bands[w->banded];
		int r;

		if (str_is_empty(str_of(row->off_peak)))
			continue;
		r = check(in, row, err);
		if (r == 0)
			r = join_plans(w, b, row, err);
		if (r < 0)
			return r;
		b->off = in->find_tariff(in->ctx, row->off_peak_group);
		w->banded++;
		for (size_t n = 0; n < w->payers; n++) {
			struct payer *p = &w->payer[n];

			if (p->row->rate_group && strcmp(p->row->rate_group, row->name) == 0)
				p->bands = b;
		}
	}
	return 0;
}
