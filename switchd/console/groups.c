#include "entity_page.h"
#include "pages.h"

static const char *const name_key[] = { "name", NULL };

static const struct binding bindings[] = { ENTITY_KEYS, LIST_KEYS, { 0 } };

int groups_page(struct app *app)
{
	static const char *const columns[] = { "name",     "calls", "line_limit",
					       "reserved", "memo",  NULL };
	static const struct list_spec spec = {
		.title = "Gateway groups",
		.help = "Routing gateways name the groups they belong to. A mapping gateway that "
			"names groups calls by these alone, and has their reserved lines.",
		.op = "gateway-group.list",
		.entity = "gateway-group",
		.columns = columns,
		.keys = name_key,
		.period_ms = 5000,
		.bindings = bindings,
	};

	return list_run(app, &spec, NULL);
}

int plans_page(struct app *app)
{
	static const char *const columns[] = { "name",       "action", "days",   "from",
					       "to",         "zone",   "callee", "priority",
					       "line_limit", "memo",   NULL };
	static const struct list_spec spec = {
		.title = "Time plans",
		.help = "Routing gateways name the plans they follow: the first that is in force "
			"decides whether they take calls, or with which priority and lines.",
		.op = "route-plan.list",
		.entity = "route-plan",
		.columns = columns,
		.keys = name_key,
		.bindings = bindings,
	};

	return list_run(app, &spec, NULL);
}
