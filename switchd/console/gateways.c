#include "cell.h"
#include "entity_page.h"
#include "pages.h"
#include "shape.h"
#include "tests.h"

static const char *const name_key[] = { "name", NULL };

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
		.look = cell_look_status,
	};

	return list_run(app, &spec, NULL);
}

int vendors_page(struct app *app)
{
	static const char *const columns[] = { "name",       "account", "address", "prefix",
					       "priority",   "calls",   "status",  "line_limit",
					       "rate_limit", "health",  "memo",    NULL };
	static const struct binding vendor_keys[] = {
		ENTITY_KEYS,
		{ 't', 0, "Test", "Ask it by OPTIONS", BINDING_CHANGES, tests_gateway },
		{ 'c', 0, "Test call", "Call a number through it", BINDING_CHANGES, tests_call },
		{ 'n', 0, "Network", "Ask any address by OPTIONS", BINDING_CHANGES, tests_network },
		LIST_KEYS,
		{ 0 },
	};
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
		.bindings = vendor_keys,
		.look = cell_look_status,
	};

	return list_run(app, &spec, NULL);
}

static void shape_registration(json_t *row)
{
	shape_time(row, "expires");
}

static int registrations(void *ctx)
{
	static const char *const columns[] = { "kind",    "name",    "address",    "state",
					       "contact", "expires", "last_error", NULL };
	static const char *const keys[] = { "kind", "name", "address", "contact", NULL };
	static const struct binding only_list[] = { LIST_KEYS, { 0 } };
	static const struct list_spec spec = {
		.title = "Registrations",
		.help = "Where the switch is registered, and the phones that are registered here; "
			"read again every two seconds.",
		.op = "registration.list",
		.columns = columns,
		.keys = keys,
		.period_ms = 2000,
		.bindings = only_list,
		.shape = shape_registration,
	};

	return list_run(list_app(ctx), &spec, NULL);
}

static void shape_status(json_t *row)
{
	shape_time(row, "since");
}

int gateways_page(struct app *app)
{
	static const char *const columns[] = { "name",
					       "side",
					       "calls",
					       "line_limit",
					       "free_lines",
					       "health",
					       "calls_per_second",
					       "rate_limit",
					       "since",
					       "registered",
					       "held_s",
					       NULL };
	static const char *const keys[] = { "side", "name", NULL };
	static const struct binding status_keys[] = {
		{ K_ENTER, 0, "Calls", "The calls in progress of the selected one", 0,
		  calls_of_gateway },
		{ 'r', 0, "Registrations", "Where the switch is registered", 0, registrations },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Gateway status",
		.help = "Lines in use and calls a second of every gateway beside their limits (0: "
			"no "
			"limit), read again every two seconds.",
		.op = "gateway.status",
		.columns = columns,
		.keys = keys,
		.period_ms = 2000,
		.bindings = status_keys,
		.shape = shape_status,
	};

	return list_run(app, &spec, NULL);
}
