#include "base/cleanup.h"
#include "cell.h"
#include "desk.h"
#include "list.h"
#include "model/op.h"
#include "opform.h"
#include "pages.h"
#include "shape.h"
#include "tui/dialog.h"

static int show(void *ctx)
{
	const json_t *row = list_row(ctx);

	return row ? desk_show(list_app(ctx), "ban.show", "Ban",
			       str_of(cell_text(row, "address", "")))
		   : VIEW_STAYS;
}

static int add(void *ctx)
{
	static const struct opform of = {
		.op = "ban.add",
		.title = "Ban an address",
		.intro = "Everything that comes from it is dropped by the firewall. Addresses of "
			 "gateways and administrators are never banned.",
		.button = "Ban",
	};
	int r = opform_run(list_app(ctx), &of);

	return r > 0 ? list_read(ctx) : r;
}

static int lift(void *ctx)
{
	CLEANUP(json_decref) json_t *row = json_deep_copy(list_row(ctx));
	CLEANUP(buf_done) struct buf question = BUF_INIT;

	if (!row)
		return VIEW_STAYS;
	buf_printf(&question, "Lift the ban of %s? The address begins anew.",
		   cell_text(row, "address", ""));
	if (!dialog_confirm(list_app(ctx)->screen, "Lift a ban", buf_str(&question), "Lift"))
		return VIEW_STAYS;
	return list_ask(ctx, "ban.del",
			json_pack("{s:s}", "address", cell_text(row, "address", "")),
			"%s may come again", cell_text(row, "address", ""));
}

static void shape(json_t *row)
{
	shape_time(row, "since");
}

static const char *const address_key[] = { "address", NULL };

static int firewall(void *ctx)
{
	static const char *const columns[] = { "chain", "verdict", "what", "from", "packets",
					       "rate",  "family",  "why",  NULL };
	static const char *const keys[] = { "chain", "what", "from", "family", NULL };
	static const struct binding bindings[] = { LIST_KEYS, { 0 } };
	static const struct list_spec spec = {
		.title = "Firewall",
		.help = "What is open to whom and why: every rule in its order.",
		.op = "firewall.show",
		.columns = columns,
		.keys = keys,
		.bindings = bindings,
	};

	return list_run(list_app(ctx), &spec, NULL);
}

int bans_page(struct app *app)
{
	static const char *const columns[] = { "address", "left_s", "cause",   "reason",   "since",
					       "times",   "by",     "packets", "evidence", NULL };
	static const struct binding bindings[] = {
		{ K_ENTER, 0, "Show", "Reason, evidence and time left", 0, show },
		{ 'a', K_INSERT, "Add", "Ban an address", BINDING_CHANGES, add },
		{ 'x', K_DELETE, "Lift", "Let the address in again; asks first", BINDING_CHANGES,
		  lift },
		{ 'w', 0, "Firewall", "The rules, and what they have matched", 0, firewall },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Bans",
		.help = "Addresses that the firewall drops, by switch-lockoutd, read again every "
			"five "
			"seconds.",
		.op = "ban.list",
		.columns = columns,
		.keys = address_key,
		.period_ms = 5000,
		.bindings = bindings,
		.shape = shape,
	};

	return list_run(app, &spec, NULL);
}
