#include "base/cleanup.h"
#include "cell.h"
#include "list.h"
#include "pages.h"
#include "shape.h"
#include "tui/dialog.h"

/* The machine's two slots, the way back to the other one, and the restart. Updates come by SSH: they are large files. */

/* Asks the person, then the daemon. */
static int after_question(void *ctx, const char *title, const char *question, const char *button,
			  const char *operation, const char *done)
{
	if (!dialog_confirm(list_app(ctx)->screen, title, str_of(question), button))
		return VIEW_STAYS;
	return list_ask(ctx, operation, NULL, "%s", done);
}

static int back(void *ctx)
{
	return after_question(ctx, "Back",
			      "Start from the other slot next time? Nothing happens until the "
			      "machine is restarted.",
			      "Go back", "update.rollback", "the other slot starts next");
}

static int restart(void *ctx)
{
	return after_question(
		ctx, "Restart",
		"Restart the machine? Calls that are up are ended, and their records written.",
		"Restart", "machine.restart", "the machine restarts");
}

static void shape(json_t *row)
{
	shape_time(row, "built");
	shape_time(row, "installed");
}

static enum role look(const json_t *row)
{
	struct str state = str_of(cell_text(row, "state", ""));

	if (str_eq(state, STR("failed")))
		return ROLE_BAD;
	return str_has_prefix(state, STR("running")) ? ROLE_GOOD : ROLE_PLAIN;
}

int updates_page(struct app *app)
{
	static const char *const columns[] = { "slot",      "state",       "version", "built",
					       "installed", "starts_next", NULL };
	static const char *const keys[] = { "slot", NULL };
	static const struct binding bindings[] = {
		{ 'b', 0, "Back", "Start from the other slot next time; asks first",
		  BINDING_CHANGES, back },
		{ 'x', 0, "Restart", "Restart the machine; asks first", BINDING_CHANGES, restart },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Updates",
		.help = "What the machine's two slots hold. An update is sent from elsewhere: "
			"ssh admin@host switchctl update install - < tandem-VERSION.update",
		.op = "update.list",
		.columns = columns,
		.keys = keys,
		.period_ms = 2000,
		.bindings = bindings,
		.shape = shape,
		.look = look,
	};

	return list_run(app, &spec, NULL);
}
