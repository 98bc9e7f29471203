/* world_package: packages, and which an account has ordered, in the order of application. */
#pragma once

#include "base/zone.h"
#include "call/world.h"

struct package {
	struct package_row *row;
	struct zone *zone;
	const struct timeplan *plan; /* of calls that begin while it is in force; NULL: of all */
	struct str *prefix, *area;   /* slices of the row; with neither it is for all numbers */
	int prefixes, areas;
};

struct package_order {
	struct package_order_row *row;
	const struct package *package;
	const struct payer *payer;
	struct bundle *bundle; /* live */
};

/* Accounts have been taken. -EINVAL with *err; -ENOMEM. */
int take_packages(struct world *w, struct world_input *in, struct err *err);
void packages_done(struct world *w);
/* area: of the number, NULL = none. */
bool package_is_for(const struct package *p, struct str callee, const char *area);
/* Is the order, and its account, in force at that moment? */
bool package_order_is_in_force(const struct package_order *o, ms_t wall_ms);
/* The check of a row at entry. */
int world_check_package(const struct package_row *row, struct err *err);
