#include <errno.h>

#include "base/cleanup.h"
#include "cell.h"
#include "list.h"
#include "model/op.h"
#include "opform.h"
#include "pages.h"
#include "tui/dialog.h"

/* Network, ports and firewall of the machine. What is changed here undoes itself unless it is confirmed. */

/* {key: value} of the rows. */
static json_t *values_of(const json_t *rows)
{
	json_t *all = json_object();
	size_t i;
	const json_t *row;

	json_array_foreach(rows, i, row)
	{
		(void)json_object_set_new(all, cell_text(row, "key", ""),
					  json_deep_copy(json_object_get(row, "value")));
	}
	return all;
}

struct change {
	struct app *app;
	json_t *before;
};

/* Only what was changed is asked for; what was emptied goes back to its default. */
static int take(void *ctx, json_t *params, struct err *err)
{
	const struct change *c = ctx;
	const char *key;
	json_t *old;
	int r;

	json_object_foreach(c->before, key, old)
	{
		const json_t *new = json_object_get(params, key);

		if (new &&json_equal(new, old))
			(void)json_object_del(params, key);
		else if (!new &&json_string_length(old) > 0)
			(void)json_object_set_new(params, key, json_string(""));
	}
	r = daemons_ask(&c->app->daemons, "machine.change", params, NULL, err);
	return r < 0 && r != -ENOMEM ? -EINVAL : r;
}

static int change(void *ctx)
{
	struct app *app = list_app(ctx);
	CLEANUP(json_decref) json_t *rows = NULL;
	CLEANUP(json_decref) json_t *before = NULL;
	struct err err = ERR_INIT;

	if (daemons_ask(&app->daemons, "machine.settings", NULL, &rows, &err) < 0) {
		screen_say_err(app->screen, &err);
		return VIEW_STAYS;
	}
	before = values_of(rows);
	if (!before)
		return -ENOMEM;

	struct change c = { app, before };
	const struct opform of = {
		.op = "machine.change",
		.title = "Network and ports",
		.intro = "Unless you confirm within 90 seconds all of it is put back as it was. "
			 "Another address of the machine, or port of SIP, ends the calls that are "
			 "up.",
		.button = "Change",
		.preset = before,
		.take = take,
		.ctx = &c,
	};
	int r = opform_run(app, &of);

	return r > 0 ? list_read(ctx) : r;
}

static int confirm(void *ctx)
{
	return list_ask(ctx, "machine.confirm", NULL, "the change stays");
}

static int undo(void *ctx)
{
	if (!dialog_confirm(list_app(ctx)->screen, "Undo",
			    STR("Put network and ports back as they were?"), "Undo"))
		return VIEW_STAYS;
	return list_ask(ctx, "machine.undo", NULL, "all is put back as it was");
}

static enum role look(const json_t *row)
{
	return json_is_null(json_object_get(row, "before")) ? ROLE_PLAIN : ROLE_BAD;
}

int machine_page(struct app *app)
{
	static const char *const columns[] = { "key",         "value", "before", "state",
					       "undone_in_s", "help",  NULL };
	static const char *const keys[] = { "key", NULL };
	static const struct binding bindings[] = {
		{ K_ENTER, 0, "Change", "Change any of it; it undoes itself unless confirmed",
		  BINDING_CHANGES, change },
		{ 'c', 0, "Confirm", "The change is to stay", BINDING_CHANGES, confirm },
		{ 'x', 0, "Undo", "Put all of it back; asks first", BINDING_CHANGES, undo },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Network and ports",
		.help = "Where the machine is reached, and what its firewall lets in. A change has "
			"to be confirmed with c within 90 seconds, or it is undone.",
		.op = "machine.settings",
		.columns = columns,
		.keys = keys,
		.period_ms = 1000,
		.bindings = bindings,
		.look = look,
	};

	return list_run(app, &spec, NULL);
}
