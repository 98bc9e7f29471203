#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "list.h"
#include "model/report.h"
#include "model/text.h"
#include "opform.h"
#include "pages.h"
#include "tui/pager.h"

enum { COLUMNS_MAX = 32 };

#define TIMES "Empty: the month so far, of this machine's zone. A date is its midnight there."

/* ---- one report ---- */

struct asked {
	struct app *app;
	char op[64];
	json_t *args, *answer;
};

static int take(void *ctx, json_t *params, struct err *err)
{
	struct asked *a = ctx;

	json_decref(a->args);
	a->args = json_incref(params);
	int r = daemons_ask(&a->app->daemons, a->op, params, &a->answer, err);
	return r < 0 && r != -ENOMEM ? -EINVAL : r;
}

static int ask(struct asked *a, const char *title, const char *intro)
{
	const struct opform of = {
		.op = a->op,
		.title = title,
		.intro = intro,
		.button = "Show",
		.take = take,
		.ctx = a,
	};

	return opform_run(a->app, &of);
}

static int show_table(struct asked *a, const struct report_info *info)
{
	static const struct binding bindings[] = { LIST_KEYS, { 0 } };
	const char *columns[COLUMNS_MAX] = { NULL }, *keys[COLUMNS_MAX] = { NULL };
	int n = 0, k = 0;

	if (json_object_get(a->args, "by"))
		columns[n++] = keys[k++] = "time";
	for (int i = 0; i < info->columns && n < COLUMNS_MAX - 2; i++) {
		const struct report_column *c = &info->column[i];

		columns[n++] = c->name;
		if (c->type == REPORT_T_KEY)
			keys[k++] = c->name;
	}
	columns[n] = keys[k++] = "currency";

	const struct list_spec spec = {
		.title = info->name,
		.help = info->help,
		.op = a->op,
		.columns = columns,
		.keys = keys,
		.bindings = bindings,
	};
	return list_run(a->app, &spec, a->args);
}

/* What was asked of the switch to see whether it may be asked is asked again by the list, which keeps it fresh. */
static int run_report(struct app *app, const struct report_info *info)
{
	struct asked a = { .app = app };
	struct buf op = buf_fixed(a.op, sizeof(a.op));

	buf_printf(&op, "report.%s", info->name);
	int r = buf_cstr(&op) ? ask(&a, info->name, TIMES " by: hour, day or month.") : 0;
	if (r > 0)
		r = show_table(&a, info);
	json_decref(a.args);
	json_decref(a.answer);
	return r < 0 ? r : VIEW_STAYS;
}

static int show(void *ctx)
{
	const json_t *row = list_row(ctx);
	const char *name = row ? json_string_value(json_object_get(row, "name")) : NULL;
	enum report_id id = report_find(str_of(name ? name : ""));

	return id == REPORT_COUNT ? VIEW_STAYS : run_report(list_app(ctx), &report_infos[id]);
}

/* ---- statements, and what the nights left ---- */

static int statement(void *ctx)
{
	struct asked a = { .app = list_app(ctx), .op = "report.statement" };
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int r = ask(&a, "Statement of account", TIMES);

	if (r > 0)
		r = text_report(a.answer, &text);
	if (r == 0 && a.answer)
		r = pager_run(a.app->screen, "Statement of account", buf_str(&text));
	json_decref(a.args);
	json_decref(a.answer);
	return r < 0 ? r : VIEW_STAYS;
}

static int kept(void *ctx)
{
	static const char *const columns[] = { "day", "name", "bytes", NULL };
	static const char *const keys[] = { "key", NULL };
	static const struct binding bindings[] = { LIST_KEYS, { 0 } };
	static const struct list_spec spec = {
		.title = "Reports of the nights",
		.help = "Made at 01:00, as the parameters SERVER_REPORT_ say. "
			"switchctl report fetch DAY/NAME file=NAME takes one away.",
		.op = "report.kept",
		.columns = columns,
		.keys = keys,
		.bindings = bindings,
	};

	return list_run(list_app(ctx), &spec, NULL);
}

int reports_page(struct app *app)
{
	static const char *const columns[] = { "name", "nightly", "help", NULL };
	static const char *const keys[] = { "name", NULL };
	static const struct binding bindings[] = {
		{ K_ENTER, 0, "Show", "Make the report, of any time", 0, show },
		{ 's', 0, "Statement", "The bill of an account", 0, statement },
		{ 'n', 0, "Nights", "What the nights have left", 0, kept },
		LIST_KEYS,
		{ 0 },
	};
	static const struct list_spec spec = {
		.title = "Reports",
		.help = "What was sold, bought and earned. switchctl report NAME format=csv or "
			"format=html makes files of them.",
		.op = "report.list",
		.columns = columns,
		.keys = keys,
		.bindings = bindings,
	};

	return list_run(app, &spec, NULL);
}
