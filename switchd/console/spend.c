#include "base/cleanup.h"
#include "cell.h"
#include "entity_page.h"
#include "opform.h"
#include "pages.h"
#include "shape.h"
#include "tui/dialog.h"

/* What stops whom: spend rules with their counts, and the numbers of the dynamic blacklist. */

static void shape_times(json_t *row)
{
	shape_time(row, "since");
	shape_time(row, "until");
}

/* --- security profiles --- */

static int profiles(void *ctx)
{
	static const char *const columns[] = { "name",         "applies",     "plan",
					       "callee_allow", "callee_deny", "line_limit",
					       "call_limit",   "status",      NULL };
	static const char *const keys[] = { "name", NULL };
	static const struct binding bindings[] = { ENTITY_KEYS, LIST_KEYS, { 0 } };
	static const struct list_spec spec = {
		.title = "Security profiles",
		.help = "What accounts may do at certain times: which numbers, how many calls and "
			"how long.",
		.op = "security-profile.list",
		.entity = "security-profile",
		.columns = columns,
		.keys = keys,
		.period_ms = 10000,
		.bindings = bindings,
	};

	return list_run(list_app(ctx), &spec, NULL);
}

/* --- spend rules --- */

static enum role look(const json_t *row)
{
	const char *state = cell_text(row, "state", "normal");

	return str_eq(str_of(state), STR("normal")) ? ROLE_PLAIN : ROLE_BAD;
}

static int reset(void *ctx)
{
	CLEANUP(json_decref) json_t *row = json_deep_copy(list_row(ctx));
	CLEANUP(buf_done) struct buf question = BUF_INIT;

	if (!row)
		return VIEW_STAYS;
	buf_printf(&question, "Let %s of rule %s begin anew? It may call again.",
		   cell_text(row, "account", ""), cell_text(row, "rule", ""));
	if (!dialog_confirm(list_app(ctx)->screen, "Reset", buf_str(&question), "Reset"))
		return VIEW_STAYS;
	return list_ask(ctx, "spend.reset",
			json_pack("{s:s s:s}", "rule", cell_text(row, "rule", ""), "account",
				  cell_text(row, "account", "")),
			"%s begins anew", cell_text(row, "account", ""));
}

static int counts(void *ctx)
{
	static const char *const columns[] = {
		"rule",      "account",      "state",      "minute_money", "hour_money",
		"day_money", "minute_calls", "hour_calls", "day_calls",    "since",
		"until",     "why",          NULL
	};
	static const char *const keys[] = { "rule", "account", NULL };
	static const struct binding bindings[] = {
		{ 'x', K_DELETE, "Reset", "Count anew and let it call again; asks first",
		  BINDING_CHANGES, reset },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "What was spent",
		.help = "What each rule has counted of whom within the last minute, hour and day, "
			"calls that are up included.",
		.op = "spend.list",
		.entity = "spend",
		.columns = columns,
		.keys = keys,
		.period_ms = 2000,
		.bindings = bindings,
		.shape = shape_times,
		.look = look,
	};
	const char *rule = json_string_value(json_object_get(list_row(ctx), "name"));
	CLEANUP(json_decref) json_t *args = rule ? json_pack("{s:s}", "rule", rule) : NULL;

	return args ? list_run(list_app(ctx), &spec, args) : VIEW_STAYS;
}

int spend_page(struct app *app)
{
	static const char *const columns[] = { "name",         "over",       "account",
					       "callee",       "areas",      "action",
					       "minute_money", "hour_money", "day_money",
					       "minute_calls", "hour_calls", "day_calls",
					       "status",       NULL };
	static const char *const keys[] = { "name", NULL };
	static const struct binding bindings[] = {
		ENTITY_KEYS,
		{ 'c', 0, "Counts", "What the selected rule has counted, of whom", 0, counts },
		{ 'p', 0, "Profiles", "Security profiles: what may be done at which times", 0,
		  profiles },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Spend rules",
		.help = "What accounts may spend or call within a minute, an hour and a day, and "
			"what happens beyond.",
		.op = "spend-rule.list",
		.entity = "spend-rule",
		.columns = columns,
		.keys = keys,
		.period_ms = 5000,
		.bindings = bindings,
	};

	return list_run(app, &spec, NULL);
}

/* --- the dynamic blacklist --- */

static void shape_blacklisted(json_t *row)
{
	shape_times(row);
	shape_time(row, "last_call");
}

int blacklist_page(struct app *app)
{
	static const char *const columns[] = { "side",  "number",  "type",      "since",
					       "until", "refused", "last_call", NULL };
	static const char *const keys[] = { "side", "number", NULL };
	static const struct binding bindings[] = {
		{ 'a', K_INSERT, "Add", "Keep a number out until a time", BINDING_CHANGES,
		  entity_page_add },
		{ 'x', K_DELETE, "Delete", "Let the number in again; asks first", BINDING_CHANGES,
		  entity_page_delete },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Dynamic blacklist",
		.help = "Numbers that the switch, or an operator, keeps out for a while "
			"(SS_BLACK_LIST_*), where a gateway or phone has blacklist=true.",
		.op = "blacklist.list",
		.entity = "blacklist",
		.columns = columns,
		.keys = keys,
		.period_ms = 5000,
		.bindings = bindings,
		.shape = shape_blacklisted,
	};

	return list_run(app, &spec, NULL);
}
