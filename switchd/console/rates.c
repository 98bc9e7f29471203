#include <errno.h>

#include "base/cleanup.h"
#include "cell.h"
#include "desk.h"
#include "entity_page.h"
#include "opform.h"
#include "packages.h"
#include "pages.h"
#include "shape.h"

/* --- the rates of a group --- */

static int end_now(void *ctx)
{
	CLEANUP(json_decref) json_t *row = json_deep_copy(list_row(ctx));
	bool is_done = false;
	int r = row ? desk_delete(
			      list_app(ctx), "rate", row,
			      "end it now? Calls that are up keep their terms; new ones get the "
			      "next shorter prefix, or none.",
			      &is_done)
		    : VIEW_STAYS;

	return r == VIEW_STAYS && is_done ? list_read(ctx) : r;
}

static int take_filter(void *ctx, json_t *params, struct err *err)
{
	json_t *args = list_args(ctx);

	(void)err;
	(void)json_object_del(args, "prefix");
	return json_object_update(args, params) < 0 ? -ENOMEM : 0;
}

static int filter(void *ctx)
{
	const struct opform of = { .op = "rate.list",
				   .title = "Which rates",
				   .entity = "rate",
				   .button = "Show",
				   .preset = list_args(ctx),
				   .take = take_filter,
				   .ctx = ctx };
	int r = opform_run(list_app(ctx), &of);

	return r > 0 ? list_read(ctx) : r;
}

static void shape_rate(json_t *row)
{
	shape_time(row, "effective");
	shape_time(row, "end");
}

/* What is not in force any more, or not yet. */
static enum role look_rate(const json_t *row)
{
	if (json_is_string(json_object_get(row, "end")))
		return ROLE_DIM;
	return cell_says(row, "status", "locked") ? ROLE_WARN : ROLE_PLAIN;
}

static int rates_of(struct app *app, const char *group)
{
	static const char *const columns[] = { "prefix",  "origin", "price",       "unit",
					       "first",   "step",   "setup_fee",   "effective",
					       "end",     "status", "tax_percent", "area",
					       "version", "group",  NULL };
	static const char *const keys[] = { "version", NULL };
	static const struct binding bindings[] = {
		{ K_ENTER, 0, "Show", "The rate in force for this prefix", 0, entity_page_show },
		{ 'a', K_INSERT, "Add", "Add a rate; it may begin later", BINDING_CHANGES,
		  entity_page_add },
		{ 'e', K_F(2), "Change", "A new version takes over now", BINDING_CHANGES,
		  entity_page_change },
		{ 'x', K_DELETE, "End", "End the rate now; asks first", BINDING_CHANGES, end_now },
		{ 'f', K_F(3), "Filter", "Only rates of a prefix", 0, filter },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Rates",
		.help = "The longest prefix wins. Nothing is overwritten: a change ends the "
			"version in "
			"force and begins another one; those that have ended are dimmed.",
		.op = "rate.list",
		.entity = "rate",
		.columns = columns,
		.keys = keys,
		.bindings = bindings,
		.shape = shape_rate,
		.look = look_rate,
	};
	CLEANUP(json_decref) json_t *args = json_pack("{s:s}", "group", group);

	return args ? list_run(app, &spec, args) : -ENOMEM;
}

/* --- callers that prices depend on --- */

static int origins(void *ctx)
{
	static const char *const columns[] = { "name", "prefixes", "withheld", "memo", NULL };
	static const char *const keys[] = { "name", NULL };
	static const struct binding bindings[] = { ENTITY_KEYS, LIST_KEYS, { 0 } };
	static const struct list_spec spec = {
		.title = "Origin groups",
		.help = "Callers by the beginning of their numbers. A rate that names a group in "
			"its "
			"origin is for these callers alone.",
		.op = "origin-group.list",
		.entity = "origin-group",
		.columns = columns,
		.keys = keys,
		.period_ms = 10000,
		.bindings = bindings,
	};

	return list_run(list_app(ctx), &spec, NULL);
}

/* --- the groups --- */

static int open_group(void *ctx)
{
	const char *name = json_string_value(json_object_get(list_row(ctx), "name"));
	CLEANUP(free) char *copy = name ? str_dup(str_of(name)) : NULL;

	return copy ? rates_of(list_app(ctx), copy) : VIEW_STAYS;
}

int rates_page(struct app *app)
{
	static const char *const columns[] = {
		"name", "currency", "fee_precision", "fee_unit", "hold_time_precision", "free_time",
		"memo", NULL
	};
	static const char *const keys[] = { "name", NULL };
	static const struct binding bindings[] = {
		{ K_ENTER, 0, "Rates", "The rates of the selected group", 0, open_group },
		{ 'a', K_INSERT, "Add", "Make a rate group", BINDING_CHANGES, entity_page_add },
		{ 'e', K_F(2), "Change", "Change the selected group", BINDING_CHANGES,
		  entity_page_change },
		{ 'x', K_DELETE, "Delete", "Delete the group with its rates; asks first",
		  BINDING_CHANGES, entity_page_delete },
		{ 'p', K_F(6), "Packages", "Talk time and money that a fee includes", 0,
		  packages_open },
		{ 'o', 0, "Origins", "Groups of callers, for rates by origin", 0, origins },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Rate groups",
		.help = "A rate group is a price list. Enter opens it.",
		.op = "rate-group.list",
		.entity = "rate-group",
		.columns = columns,
		.keys = keys,
		.period_ms = 10000,
		.bindings = bindings,
	};

	return list_run(app, &spec, NULL);
}
