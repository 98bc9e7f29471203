#include "packages.h"

#include "cell.h"
#include "entity_page.h"
#include "shape.h"

/* Packages, from the page of rates; and who has ordered them, with what is left. */

static void shape_period(json_t *row)
{
	shape_time(row, "begins");
	shape_time(row, "ends");
	shape_time(row, "from");
	shape_time(row, "until");
}

static enum role look(const json_t *row)
{
	if (cell_says(row, "state", "unpaid"))
		return ROLE_WARN;
	return cell_says(row, "state", "active") ? ROLE_PLAIN : ROLE_DIM;
}

static int orders(void *ctx)
{
	static const char *const columns[] = { "account",    "package", "state", "left_time",
					       "left_money", "begins",  "ends",  "priority",
					       "from",       "until",   "memo",  NULL };
	static const char *const keys[] = { "account", "package", NULL };
	static const struct binding bindings[] = { ENTITY_KEYS, LIST_KEYS, { 0 } };
	static const struct list_spec spec = {
		.title = "Orders of packages",
		.help = "What each account has left in its period. One whose fee the balance did "
			"not cover stands out.",
		.op = "package-order.list",
		.entity = "package-order",
		.columns = columns,
		.keys = keys,
		.period_ms = 5000,
		.bindings = bindings,
		.shape = shape_period,
		.look = look,
	};

	return list_run(list_app(ctx), &spec, NULL);
}

int packages_open(void *ctx)
{
	static const char *const columns[] = { "name",     "period",     "price", "free_time",
					       "step",     "free_money", "zone",  "prefixes",
					       "currency", "areas",      "memo",  NULL };
	static const char *const keys[] = { "name", NULL };
	static const struct binding bindings[] = {
		ENTITY_KEYS,
		{ 'o', K_F(6), "Orders", "Who has ordered packages, and what is left", 0, orders },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Packages",
		.help = "Talk time or money that a fee includes, once in each period. A change "
			"acts from the next period on.",
		.op = "package.list",
		.entity = "package",
		.columns = columns,
		.keys = keys,
		.bindings = bindings,
	};

	return list_run(list_app(ctx), &spec, NULL);
}
