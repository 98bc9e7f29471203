#include "base/cleanup.h"
#include "entity_page.h"
#include "opform.h"
#include "pages.h"

/* Number lists, and from them what else is said of numbers: transforms, areas, the white list, pairs. */

static const char *const name_key[] = { "name", NULL };
static const char *const number_key[] = { "number", NULL };
static const struct binding entity_keys[] = { ENTITY_KEYS, LIST_KEYS, { 0 } };

/* --- transforms --- */

static int try_out(void *ctx)
{
	const char *name = json_string_value(json_object_get(list_row(ctx), "name"));
	CLEANUP(json_decref)
	json_t *preset = name ? json_pack("{s:s}", "name", name) : NULL;
	const struct opform of = { .op = "transform.try",
				   .title = "Try a transform",
				   .intro = "What it makes of a number. Nothing is changed.",
				   .button = "Try",
				   .preset = preset };

	return preset ? opform_ask(list_app(ctx), &of) : VIEW_STAYS;
}

static int transforms(void *ctx)
{
	static const char *const columns[] = { "name",        "applies", "position", "rules",
					       "expressions", "memo",    NULL };
	static const struct binding bindings[] = { ENTITY_KEYS,
						   { 't', 0, "Try", "What it makes of a number", 0,
						     try_out },
						   LIST_KEYS,
						   { 0 } };
	static const struct list_spec spec = {
		.title = "Transforms",
		.help = "Rules that rewrite numbers: for every call, or where a gateway or phone "
			"names them.",
		.op = "transform.list",
		.entity = "transform",
		.columns = columns,
		.keys = name_key,
		.period_ms = 10000,
		.bindings = bindings,
	};

	return list_run(list_app(ctx), &spec, NULL);
}

/* --- areas, the white list --- */

static int areas(void *ctx)
{
	static const char *const columns[] = { "prefix", "name", NULL };
	static const char *const keys[] = { "prefix", NULL };
	static const struct list_spec spec = {
		.title = "Areas",
		.help = "What numbers are called by their longest prefix; records show it. A whole "
			"file comes in by switchctl area import.",
		.op = "area.list",
		.entity = "area",
		.columns = columns,
		.keys = keys,
		.bindings = entity_keys,
	};

	return list_run(list_app(ctx), &spec, NULL);
}

static int whitelist(void *ctx)
{
	static const char *const columns[] = { "number", "memo", NULL };
	static const struct list_spec spec = {
		.title = "System white list",
		.help = "Numbers that no list and no automatic block ever stops, as caller or as "
			"callee: emergency, support.",
		.op = "whitelist.list",
		.entity = "whitelist",
		.columns = columns,
		.keys = number_key,
		.period_ms = 10000,
		.bindings = entity_keys,
	};

	return list_run(list_app(ctx), &spec, NULL);
}

/* --- number pairs, and whose numbers a section has --- */

static int pairs(void *ctx)
{
	static const char *const columns[] = { "number", "caller_in", "callee_out", "memo", NULL };
	static const struct list_spec spec = {
		.title = "Number pairs",
		.help = "A number as calls are billed and routed by, the caller that a customer "
			"sends for it, and the callee that a vendor is sent for it.",
		.op = "number-pair.list",
		.entity = "number-pair",
		.columns = columns,
		.keys = number_key,
		.period_ms = 10000,
		.bindings = entity_keys,
	};

	return list_run(list_app(ctx), &spec, NULL);
}

static int find_owners(void *ctx)
{
	const struct opform of = {
		.op = "number.find",
		.title = "Whose numbers?",
		.intro = "A section of numbers: a prefix such as 4420, or FROM-TO such as "
			 "44200-44207. Phones, number pairs, and who may call with such numbers.",
		.button = "Find",
	};

	return opform_ask(list_app(ctx), &of);
}

/* --- lists and their numbers --- */

static int open_list(void *ctx)
{
	static const char *const columns[] = { "number", "list", NULL };
	static const struct binding bindings[] = {
		{ 'a', K_INSERT, "Add", "Put a number on the list", BINDING_CHANGES,
		  entity_page_add },
		{ 'x', K_DELETE, "Delete", "Take the selected number off; asks first",
		  BINDING_CHANGES, entity_page_delete },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Numbers of a list",
		.help = "Whole numbers, without wildcards. A whole file comes in by switchctl "
			"number-list import.",
		.op = "listed-number.list",
		.entity = "listed-number",
		.columns = columns,
		.keys = number_key,
		.bindings = bindings,
	};
	const char *name = json_string_value(json_object_get(list_row(ctx), "name"));
	CLEANUP(json_decref) json_t *args = name ? json_pack("{s:s}", "list", name) : NULL;

	return args ? list_run(list_app(ctx), &spec, args) : VIEW_STAYS;
}

int numbers_page(struct app *app)
{
	static const char *const columns[] = { "name", "count", "memo", NULL };
	static const struct binding bindings[] = {
		{ K_ENTER, 0, "Numbers", "The numbers of the selected list", 0, open_list },
		{ 'a', K_INSERT, "Add", "Make a number list", BINDING_CHANGES, entity_page_add },
		{ 'e', K_F(2), "Change", "Change the selected list", BINDING_CHANGES,
		  entity_page_change },
		{ 'x', K_DELETE, "Delete", "Delete the list with its numbers; asks first",
		  BINDING_CHANGES, entity_page_delete },
		{ 't', 0, "Transforms", "Rules that rewrite numbers", 0, transforms },
		{ 'g', 0, "Areas", "What numbers are called", 0, areas },
		{ 'w', 0, "White list", "Numbers that nothing stops", 0, whitelist },
		{ 'p', 0, "Pairs", "Numbers here and outside", 0, pairs },
		{ 'o', 0, "Owners", "Whose numbers a section has", 0, find_owners },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Number lists",
		.help = "Sets of numbers that gateways and phones use as black or white lists. "
			"Transforms, areas, the white list and number pairs are behind their keys.",
		.op = "number-list.list",
		.entity = "number-list",
		.columns = columns,
		.keys = name_key,
		.period_ms = 10000,
		.bindings = bindings,
	};

	return list_run(app, &spec, NULL);
}
