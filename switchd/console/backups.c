#include "base/cleanup.h"
#include "list.h"
#include "pages.h"
#include "shape.h"
#include "tui/dialog.h"

/* Asks the operation about the backup that is selected; says what came of it. */
static int ask(struct list *l, const char *op, const char *done)
{
	CLEANUP(json_decref) json_t *params = NULL;
	CLEANUP(json_decref) json_t *answer = NULL;
	struct app *app = list_app(l);
	const json_t *row = list_row(l);
	struct err err = ERR_INIT;

	if (!row)
		return VIEW_STAYS;
	params = json_pack("{s:O}", "name", json_object_get(row, "name"));
	int r = daemons_ask(&app->daemons, op, params, &answer, &err);
	size_t n = json_array_size(json_object_get(answer, "differences"));
	if (r < 0)
		screen_say_err(app->screen, &err);
	else if (n)
		screen_say(app->screen, ROLE_BAD, "Its books have %zu differences", n);
	else
		screen_say(app->screen, ROLE_GOOD, "%s", done);
	return list_read(l);
}

static int make(void *ctx)
{
	return list_ask(ctx, "backup.make", NULL, "The backup is made");
}

static int verify(void *ctx)
{
	return ask(ctx, "backup.verify", "It is whole, and its books are right");
}

static int restore(void *ctx)
{
	if (!dialog_confirm(
		    list_app(ctx)->screen, "Put this backup in place?",
		    STR("At the next start. What has happened since it was made is then gone from "
			"the books; what is there now goes to before-restore."),
		    "Restore"))
		return VIEW_STAYS;
	return ask(ctx, "backup.restore", "It will be put in place when switchd starts next");
}

static int remove_one(void *ctx)
{
	if (!dialog_confirm(list_app(ctx)->screen, "Delete this backup?",
			    STR("This cannot be undone."), "Delete"))
		return VIEW_STAYS;
	return ask(ctx, "backup.del", "The backup is deleted");
}

static void shape(json_t *row)
{
	shape_time(row, "at");
}

int backups_page(struct app *app)
{
	static const char *const columns[] = { "name", "at", "bytes", NULL };
	static const char *const keys[] = { "name", NULL };
	static const struct binding bindings[] = {
		{ 'a', K_INSERT, "Make", "Make a backup now; calls go on", BINDING_CHANGES, make },
		{ 'v', 0, "Verify", "Unpack it and prove every byte and balance", 0, verify },
		{ 'p', 0, "Restore", "Put it in place at the next start; asks first",
		  BINDING_CHANGES, restore },
		{ 'x', K_DELETE, "Delete", "Delete it; asks first", BINDING_CHANGES, remove_one },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Backups",
		.help = "Everything the switch knows, in a file each. switchctl backup fetch NAME "
			"file=NAME takes one to another place, where it belongs.",
		.op = "backup.list",
		.columns = columns,
		.keys = keys,
		.bindings = bindings,
		.shape = shape,
	};

	return list_run(app, &spec, NULL);
}
