#include "entity_page.h"
#include "pages.h"

static const char *const name_key[] = { "name", NULL };

static enum role look(const json_t *row)
{
	const char *status = json_string_value(json_object_get(row, "status"));

	return status && str_eq(str_of(status), STR("locked")) ? ROLE_WARN : ROLE_PLAIN;
}

static const struct binding bindings[] = { ENTITY_KEYS, LIST_KEYS, { 0 } };

int customers_page(struct app *app)
{
	static const char *const columns[] = { "name",        "account",    "address",    "auth",
					       "calls",       "line_limit", "rate_limit", "status",
					       "tech_prefix", "memo",       NULL };
	static const struct list_spec spec = {
		.title = "Mapping gateways",
		.help = "A mapping gateway says from where a customer's calls come and which "
			"account "
			"they are charged to. Locked ones take no calls.",
		.op = "mapping-gateway.list",
		.entity = "mapping-gateway",
		.columns = columns,
		.keys = name_key,
		.period_ms = 5000,
		.bindings = bindings,
		.look = look,
	};

	return list_run(app, &spec, NULL);
}

int vendors_page(struct app *app)
{
	static const char *const columns[] = { "name",       "account", "address", "prefix",
					       "priority",   "calls",   "status",  "line_limit",
					       "rate_limit", "health",  "memo",    NULL };
	static const struct list_spec spec = {
		.title = "Routing gateways",
		.help = "A routing gateway is where calls go to: a vendor's addresses, the "
			"prefixes "
			"that it takes and its place in the order.",
		.op = "routing-gateway.list",
		.entity = "routing-gateway",
		.columns = columns,
		.keys = name_key,
		.period_ms = 5000,
		.bindings = bindings,
		.look = look,
	};

	return list_run(app, &spec, NULL);
}

int gateways_page(struct app *app)
{
	static const char *const columns[] = {
		"name",       "side",   "calls", "line_limit", "calls_per_second",
		"rate_limit", "health", NULL
	};
	static const char *const keys[] = { "side", "name", NULL };
	static const struct binding only_list[] = { LIST_KEYS, { 0 } };
	static const struct list_spec spec = {
		.title = "Gateway status",
		.help = "Lines in use and calls a second of every gateway beside their limits (0: "
			"no "
			"limit), read again every two seconds.",
		.op = "gateway.status",
		.columns = columns,
		.keys = keys,
		.period_ms = 2000,
		.bindings = only_list,
	};

	return list_run(app, &spec, NULL);
}
