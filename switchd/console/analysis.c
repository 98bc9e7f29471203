#include <errno.h>

#include "base/cleanup.h"
#include "list.h"
#include "pages.h"

/* What the calls are counted by: one question after the other. */
static const char *const ways[] = { "reason", "routing_gateway", "mapping_gateway", "area",
				    "hour" };

enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

static int next_way(void *ctx)
{
	json_t *args = list_args(ctx);
	const char *now = json_string_value(json_array_get(json_object_get(args, "by"), 0));
	int i = 0;

	while (now && i < WAYS && !str_eq(str_of(now), str_of(ways[i])))
		i++;
	if (json_object_set_new(args, "by",
				json_pack("[s, s]", ways[(i + 1) % WAYS],
					  (i + 1) % WAYS == 0 ? "sip_code" : "reason")) < 0)
		return VIEW_STAYS;
	return list_read(ctx);
}

int analysis_page(struct app *app)
{
	static const char *const columns[] = { "failed",          "calls",    "percent",
					       "reason",          "sip_code", "routing_gateway",
					       "mapping_gateway", "area",     "hour",
					       "example",         NULL };
	static const char *const keys[] = {
		"reason", "sip_code", "routing_gateway", "mapping_gateway", "area", "hour", NULL
	};
	static const struct binding bindings[] = {
		{ 'b', 0, "By what", "Count by reason, vendor, customer, area or hour", 0,
		  next_way },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Calls that failed",
		.help = "Of the last day, most first; example is the newest such record, which "
			"Call records explains.",
		.op = "call.analysis",
		.columns = columns,
		.keys = keys,
		.bindings = bindings,
	};
	CLEANUP(json_decref) json_t *args = json_pack("{s:[s, s]}", "by", "reason", "sip_code");

	return args ? list_run(app, &spec, args) : -ENOMEM;
}
