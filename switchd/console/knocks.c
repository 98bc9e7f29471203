#include "base/cleanup.h"
#include "cell.h"
#include "desk.h"
#include "list.h"
#include "pages.h"
#include "shape.h"
#include "tui/dialog.h"

/* Who is knocking: strangers that get no answer, and what an operator makes of them. */

/* A new gateway with the address of the selected source; its other fields are asked for. */
static int make(void *ctx, const char *entity)
{
	const json_t *row = list_row(ctx);
	CLEANUP(json_decref)
	json_t *preset = row ? json_pack("{s:s}", "address", cell_text(row, "address", "")) : NULL;
	bool is_done = false;
	int r = preset ? desk_add(list_app(ctx), entity, preset, &is_done) : VIEW_STAYS;

	return r == VIEW_STAYS && is_done ? list_read(ctx) : r;
}

static int make_customer(void *ctx)
{
	return make(ctx, "mapping-gateway");
}

static int make_vendor(void *ctx)
{
	return make(ctx, "routing-gateway");
}

static int ban(void *ctx)
{
	CLEANUP(json_decref) json_t *row = json_deep_copy(list_row(ctx));
	CLEANUP(buf_done) struct buf question = BUF_INIT;
	const char *address;

	if (!row)
		return VIEW_STAYS;
	address = cell_text(row, "address", "");
	buf_printf(&question, "Ban %s for an hour? Everything from it is dropped by the firewall.",
		   address);
	if (!dialog_confirm(list_app(ctx)->screen, "Ban an address", buf_str(&question), "Ban"))
		return VIEW_STAYS;
	return list_ask(ctx, "ban.add",
			json_pack("{s:s s:s}", "address", address, "reason", "knocking"),
			"%s is banned", address);
}

static void shape(json_t *row)
{
	shape_time(row, "first");
	shape_time(row, "last");
}

int knocks_page(struct app *app)
{
	static const char *const columns[] = { "address", "messages", "last",      "method",
					       "caller",  "callee",   "known_as",  "agent",
					       "first",   "port",     "transport", NULL };
	static const char *const keys[] = { "address", NULL };
	static const struct binding bindings[] = {
		{ 'm', K_ENTER, "Customer", "Make it a mapping gateway: its calls are taken",
		  BINDING_CHANGES, make_customer },
		{ 'v', 0, "Vendor", "Make it a routing gateway", BINDING_CHANGES, make_vendor },
		{ 'b', 0, "Ban", "Ban the address for an hour; asks first", BINDING_CHANGES, ban },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Who is knocking",
		.help = "Sources that are nobody's and get no answer, heard last first: what they "
			"sent, and what they dialled. known_as: whose address it is by now; if its "
			"calls still do not come in, number or transport fit no gateway there.",
		.op = "knock.list",
		.columns = columns,
		.keys = keys,
		.period_ms = 2000,
		.bindings = bindings,
		.shape = shape,
	};

	return list_run(app, &spec, NULL);
}
