#include <errno.h>

#include "base/cleanup.h"
#include "cell.h"
#include "desk.h"
#include "list.h"
#include "opform.h"
#include "pages.h"
#include "shape.h"
#include "steps.h"
#include "tests.h"

static int show(void *ctx)
{
	const json_t *row = list_row(ctx);

	return row ? desk_show(list_app(ctx), "cdr.show", "Call record",
			       str_of(cell_text(row, "id", "")))
		   : VIEW_STAYS;
}

static int explain(void *ctx)
{
	const json_t *row = list_row(ctx);

	return row ? steps_record(list_app(ctx), cell_text(row, "id", "")) : VIEW_STAYS;
}

static int take_filter(void *ctx, json_t *params, struct err *err)
{
	json_t *args = list_args(ctx);

	(void)err;
	return json_object_clear(args) < 0 || json_object_update(args, params) < 0 ? -ENOMEM : 0;
}

static int filter(void *ctx)
{
	const struct opform of = {
		.op = "cdr.list",
		.title = "Which records",
		.intro = "Empty fields ask for nothing. 880* is a number's beginning; a date alone "
			 "is its midnight, UTC; min_s and below_s are seconds of talk.",
		.entity = "cdr",
		.button = "Show",
		.preset = list_args(ctx),
		.take = take_filter,
		.ctx = ctx,
	};
	int r = opform_run(list_app(ctx), &of);

	return r > 0 ? list_read(ctx) : r;
}

static void shape(json_t *row)
{
	shape_duration(row, "hold_ms", "time");
	shape_time(row, "start");
}

static enum role look(const json_t *row)
{
	return json_integer_value(json_object_get(row, "sip_code")) == 200 ? ROLE_PLAIN : ROLE_WARN;
}

int cdrs_page(struct app *app)
{
	static const char *const columns[] = {
		"start",       "caller",   "callee",          "time",
		"fee",         "reason",   "sip_code",        "account",
		"cost",        "billed_s", "mapping_gateway", "routing_gateway",
		"hangup_side", "pdd_ms",   "codec",           "id",
		NULL
	};
	static const char *const keys[] = { "id", NULL };
	static const struct binding bindings[] = {
		{ K_ENTER, 0, "Show", "Every field of the record", 0, show },
		{ 'e', 0, "Explain", "Why the call went the way it went", 0, explain },
		{ 't', 0, "Ladder", "Its SIP messages, if a trace has kept them", 0, trace_ladder },
		{ 'f', K_F(3), "Filter", "By time, account, number, reason", 0, filter },
		{ 'o', 0, "Older", "The records before these", 0, list_older },
		{ 'n', 0, "Newest", "Back to the newest ones", 0, list_newest },
		{ 'y', 0, "Replay", "Route past calls again, with changes", 0, tests_replay },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Call records",
		.help = "Every call leaves one record, the refused ones too (they stand out). "
			"Newest "
			"first. Search looks within these; Filter asks the switch.",
		.op = "cdr.list",
		.entity = "cdr",
		.columns = columns,
		.keys = keys,
		.bindings = bindings,
		.shape = shape,
		.look = look,
	};

	return list_run(app, &spec, NULL);
}
