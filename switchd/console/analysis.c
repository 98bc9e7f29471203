#include <errno.h>

#include "cell.h"
#include "list.h"
#include "pages.h"
#include "shape.h"
#include "steps.h"

/* What the calls are counted by: one question after the other, and its columns. */
static const char *const columns[][8] = {
	{ "reason", "sip_code", "failed", "calls", "percent", "example", NULL },
	{ "routing_gateway", "reason", "failed", "calls", "percent", "example", NULL },
	{ "mapping_gateway", "reason", "failed", "calls", "percent", "example", NULL },
	{ "area", "reason", "failed", "calls", "percent", "example", NULL },
	{ "hour", "reason", "failed", "calls", "percent", "example", NULL },
};

enum { WAYS = sizeof(columns) / sizeof(columns[0]) };

static int next_way(void *ctx)
{
	json_t *args = list_args(ctx);
	const char *now = json_string_value(json_array_get(json_object_get(args, "by"), 0));
	int i = 0;

	while (now && i < WAYS && !str_eq(str_of(now), str_of(columns[i][0])))
		i++;
	i = (i + 1) % WAYS;
	if (json_object_set_new(args, "by", json_pack("[s, s]", columns[i][0], columns[i][1])) <
		    0 ||
	    list_set_columns(ctx, columns[i]) < 0)
		return -ENOMEM;
	return list_read(ctx);
}

/* The newest call of the row. */
static int example(void *ctx)
{
	const json_t *row = list_row(ctx);

	return row ? steps_record(list_app(ctx), cell_text(row, "example", "")) : VIEW_STAYS;
}

static void shape(json_t *row)
{
	if (json_object_get(row, "hour"))
		shape_time(row, "hour");
}

int analysis_page(struct app *app)
{
	static const char *const keys[] = {
		"reason", "sip_code", "routing_gateway", "mapping_gateway", "area", "hour", NULL
	};
	static const struct binding bindings[] = {
		{ K_ENTER, 0, "Explain", "Why the newest of these calls failed", 0, example },
		{ 'b', 0, "By what", "Count by reason, vendor, customer, area or hour", 0,
		  next_way },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Calls that failed",
		.help = "Of the last day, most first, with the part of such calls that failed; "
			"example is the newest such record.",
		.op = "call.analysis",
		.columns = columns[0],
		.keys = keys,
		.bindings = bindings,
		.shape = shape,
	};
	CLEANUP(json_decref)
	json_t *args = json_pack("{s:[s, s]}", "by", columns[0][0], columns[0][1]);

	return args ? list_run(app, &spec, args) : -ENOMEM;
}
