#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "cell.h"
#include "list.h"
#include "opform.h"
#include "pages.h"
#include "shape.h"
#include "tui/dialog.h"
#include "tui/pager.h"

int trace_ladder(void *ctx)
{
	struct app *app = list_app(ctx);
	const json_t *row = list_row(ctx);
	CLEANUP(json_decref) json_t *params = NULL;
	CLEANUP(json_decref) json_t *answer = NULL;
	struct err err = ERR_INIT;

	if (!row)
		return VIEW_STAYS;
	params = json_pack("{s:s}", "id", cell_text(row, "id", cell_text(row, "call_id", "")));
	int r = params ? daemons_ask(&app->daemons, "trace.show", params, &answer, &err) : -ENOMEM;

	if (r < 0) {
		screen_say_err(app->screen, &err);
		return r == -ENOMEM ? r : VIEW_STAYS;
	}
	r = pager_run(app->screen, "Ladder",
		      str_n(json_string_value(answer), json_string_length(answer)));
	return r < 0 ? r : VIEW_STAYS;
}

static int start(void *ctx)
{
	static const struct opform of = {
		.op = "trace.start",
		.title = "Start a trace",
		.intro = "Calls that meet all that is given; nothing: every call. What was kept "
			 "before is forgotten.",
		.button = "Start",
	};
	int r = opform_run(list_app(ctx), &of);

	if (r > 0)
		screen_say(list_app(ctx)->screen, ROLE_GOOD, "The trace runs");
	return r > 0 ? list_read(ctx) : r;
}

static int stop(void *ctx)
{
	return list_ask(ctx, "trace.stop", NULL, "The trace has ended; what it kept stays");
}

static void shape(json_t *row)
{
	shape_time(row, "start");
}

int traces_page(struct app *app)
{
	static const char *const columns[] = {
		"start",           "caller",          "callee", "last",    "messages",
		"mapping_gateway", "routing_gateway", "peer",   "call_id", NULL
	};
	static const char *const keys[] = { "call_id", NULL };
	static const struct binding bindings[] = {
		{ K_ENTER, 0, "Ladder", "The messages of the call, both sides", 0, trace_ladder },
		{ 'a', K_INSERT, "Start", "Start a trace, for some calls or for all",
		  BINDING_CHANGES, start },
		{ 'x', K_DELETE, "Stop", "End the trace; what it kept stays", BINDING_CHANGES,
		  stop },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Trace",
		.help = "Calls whose SIP messages were kept, the one that spoke last first. "
			"switchctl "
			"trace export makes a capture file of them.",
		.op = "trace.list",
		.columns = columns,
		.keys = keys,
		.period_ms = 2000,
		.bindings = bindings,
		.shape = shape,
	};

	return list_run(app, &spec, NULL);
}
