/* Alarms, and the log of changes: what there is to know of the switch itself. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "cell.h"
#include "list.h"
#include "model/text.h"
#include "pages.h"
#include "shape.h"
#include "tui/dialog.h"

static int say(struct list *l, const json_t *row)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (text_object(row, &text) < 0 || buf_error(&text))
		return -ENOMEM;
	dialog_message(list_app(l)->screen, "Details", buf_str(&text));
	return VIEW_STAYS;
}

/* A whole row of the list, which holds everything that is known. */
static int show(void *ctx)
{
	const json_t *row = list_row(ctx);

	return row ? say(ctx, row) : VIEW_STAYS;
}

/* --- alarms --- */

static void shape_alarm(json_t *row)
{
	shape_time(row, "begin");
	shape_time(row, "last");
}

static void shape_past(json_t *row)
{
	shape_alarm(row);
	shape_time(row, "over");
}

static enum role look_alarm(const json_t *row)
{
	return cell_says(row, "level", "critical") || cell_says(row, "level", "major") ? ROLE_BAD
										       : ROLE_WARN;
}

static int acknowledge(void *ctx)
{
	const json_t *row = list_row(ctx);

	if (!row)
		return VIEW_STAYS;
	return list_ask(ctx, "alarm.ack",
			json_pack("{s:s s:s}", "type", cell_text(row, "type", ""), "object",
				  cell_text(row, "object", "")),
			"%s is acknowledged", cell_text(row, "type", ""));
}

/* Alarms that are over. */
static int history(void *ctx)
{
	static const char *const columns[] = { "over",  "level", "type",     "object", "info",
					       "begin", "value", "acked_by", "id",     NULL };
	static const char *const keys[] = { "id", NULL };
	static const struct binding bindings[] = {
		{ K_ENTER, 0, "Show", "The whole alarm", 0, show },
		{ 'o', 0, "Older", "Those before these", 0, list_older },
		{ 'n', 0, "Newest", "Back to the newest ones", 0, list_newest },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Alarms that are over",
		.help = "When they began and ended, and who looked after them. The last one first.",
		.op = "alarm.history",
		.columns = columns,
		.keys = keys,
		.bindings = bindings,
		.shape = shape_past,
	};

	return list_run(list_app(ctx), &spec, NULL);
}

int alarms_page(struct app *app)
{
	static const char *const columns[] = { "level", "type",  "object",   "info", "begin",
					       "last",  "value", "acked_by", NULL };
	static const char *const keys[] = { "type", "object", NULL };
	static const struct binding bindings[] = {
		{ K_ENTER, 0, "Show", "The whole alarm", 0, show },
		{ 'a', 0, "Acknowledge", "Say that you look after it; one that counts is over then",
		  BINDING_CHANGES, acknowledge },
		{ 'h', 0, "History", "Alarms that are over", 0, history },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Alarms",
		.help = "What is wrong now; an alarm goes when its cause goes, or, if it counts "
			"what "
			"happened, when you acknowledge it.",
		.op = "alarm.list",
		.columns = columns,
		.keys = keys,
		.period_ms = 5000,
		.bindings = bindings,
		.shape = shape_alarm,
		.look = look_alarm,
	};

	return list_run(app, &spec, NULL);
}

/* --- the log --- */

static void shape_change(json_t *row, const char *name, const json_t *of, const json_t *other)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	text_put_changes(of, other, &text);
	if (buf_cstr(&text))
		(void)json_object_set_new(row, name, json_string(buf_cstr(&text)));
}

/* Of two whole rows what has changed. */
static void shape_log(json_t *row)
{
	CLEANUP(json_decref) json_t *before = json_incref(json_object_get(row, "before"));
	CLEANUP(json_decref) json_t *after = json_incref(json_object_get(row, "after"));

	shape_time(row, "at");
	if (json_is_object(before))
		shape_change(row, "before", before, after);
	if (json_is_object(after))
		shape_change(row, "after", after, before);
}

/* The list holds whole rows; what is read is what has changed. */
static int show_change(void *ctx)
{
	const json_t *row = list_row(ctx);
	CLEANUP(json_decref) json_t *shaped = json_deep_copy(row);

	if (!row)
		return VIEW_STAYS;
	if (!shaped)
		return -ENOMEM;
	shape_log(shaped);
	return say(ctx, shaped);
}

int log_page(struct app *app)
{
	static const char *const columns[] = { "at",     "who",   "operation", "key",
					       "before", "after", "id",        NULL };
	static const char *const keys[] = { "id", NULL };
	static const struct binding bindings[] = {
		{ K_ENTER, 0, "Show", "What changed: its values before and after", 0, show_change },
		{ 'o', 0, "Older", "The changes before these", 0, list_older },
		{ 'n', 0, "Newest", "Back to the newest ones", 0, list_newest },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Log of changes",
		.help = "Every change of anything: who, when, before and after. Newest first.",
		.op = "log.list",
		.columns = columns,
		.keys = keys,
		.bindings = bindings,
		.shape = shape_log,
	};

	return list_run(app, &spec, NULL);
}
