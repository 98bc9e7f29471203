#include "base/cleanup.h"
#include "cell.h"
#include "desk.h"
#include "list.h"
#include "pages.h"
#include "shape.h"
#include "tui/dialog.h"

static int show(void *ctx)
{
	const json_t *row = list_row(ctx);

	return row ? desk_show(list_app(ctx), "call.show", "Call", str_of(cell_text(row, "id", "")))
		   : VIEW_STAYS;
}

static int hangup(void *ctx)
{
	CLEANUP(buf_done) struct buf question = BUF_INIT;
	CLEANUP(json_decref) json_t *row = json_deep_copy(list_row(ctx));

	if (!row)
		return VIEW_STAYS;
	buf_printf(&question, "End the call from %s to %s (account %s) on both sides, now?",
		   cell_text(row, "caller", "?"), cell_text(row, "callee", "?"),
		   cell_text(row, "account", "?"));
	if (!dialog_confirm(list_app(ctx)->screen, "Hang up", buf_str(&question), "Hang up"))
		return VIEW_STAYS;
	return list_ask(ctx, "call.hangup", json_pack("{s:s}", "id", cell_text(row, "id", "")),
			"The call was ended");
}

static int traces(void *ctx)
{
	return traces_page(list_app(ctx));
}

static void shape(json_t *row)
{
	shape_duration(row, "hold_ms", "time");
	shape_time(row, "start");
}

static int run(struct app *app, const json_t *args)
{
	static const char *const columns[] = {
		"caller",          "callee", "state", "time", "account", "mapping_gateway",
		"routing_gateway", "start",  "codec", "id",   NULL
	};
	static const char *const keys[] = { "id", NULL };
	static const struct binding bindings[] = {
		{ K_ENTER, 0, "Show", "Everything about the call, its media too", 0, show },
		{ 'h', K_F(8), "Hang up", "End the call on both sides; asks first", BINDING_CHANGES,
		  hangup },
		{ 't', 0, "Ladder", "Its SIP messages, if a trace has kept them", 0, trace_ladder },
		{ 'd', 0, "Trace", "Start and stop the trace; the calls that it has kept", 0,
		  traces },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Calls in progress",
		.help = "Calls that ring or are up, read again every two seconds.",
		.op = "call.list",
		.columns = columns,
		.keys = keys,
		.period_ms = 2000,
		.bindings = bindings,
		.shape = shape,
	};

	return list_run(app, &spec, args);
}

int calls_page(struct app *app)
{
	return run(app, NULL);
}

int calls_of_gateway(void *ctx)
{
	const json_t *row = list_row(ctx);
	CLEANUP(json_decref)
	json_t *args = row ? json_pack("{s:s}", "gateway", cell_text(row, "name", "")) : NULL;

	return args ? run(list_app(ctx), args) : VIEW_STAYS;
}
