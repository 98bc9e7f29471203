#include "steps.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/json.h"
#include "tui/dialog.h"
#include "tui/table.h"

struct steps {
	struct app *app;
	const json_t *answer;
	struct table *table;
};

static bool is_bad(const char *verdict)
{
	return strcmp(verdict, "refuse") == 0 || str_has_prefix(str_of(verdict), STR("failed"));
}

static enum role look(const json_t *row)
{
	const char *verdict = json_string_value(json_object_get(row, "verdict"));

	if (!verdict)
		return ROLE_PLAIN;
	if (is_bad(verdict))
		return ROLE_BAD;
	return strcmp(verdict, "skip") == 0 ? ROLE_WARN : ROLE_PLAIN;
}

/* The members beside the steps, in a line or two. */
static void put_head(const json_t *answer, struct buf *out)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)answer, name, v)
	{
		if (json_is_array(v) || json_is_null(v))
			continue;
		buf_printf(out, "%s%s: ", out->n ? "   " : "", name);
		(void)json_to_text(v, out);
	}
}

static void draw(void *ctx, struct area a)
{
	CLEANUP(buf_done) struct buf head = BUF_INIT;
	const struct steps *s = ctx;

	a = area_part(a, 0, 1, a.rows, a.cols - 2);
	put_head(s->answer, &head);
	int y = draw_wrapped(a, 0, ROLE_HEAD, buf_str(&head)) + 1;
	table_draw(s->table, area_part(a, y, 0, a.rows - y, a.cols));
}

static int key(void *ctx, int k)
{
	const struct steps *s = ctx;

	(void)table_key(s->table, k);
	return k == 'q' ? VIEW_LEAVES : VIEW_STAYS;
}

static int show(void *ctx)
{
	const struct steps *s = ctx;
	const char *detail = json_string_value(json_object_get(table_selected(s->table), "detail"));

	if (detail)
		dialog_message(s->app->screen, "Step", str_of(detail));
	return VIEW_STAYS;
}

int steps_run(struct app *app, const char *title, const json_t *answer)
{
	static const char *const columns[] = { "step", "verdict", "detail", NULL };
	static const struct binding bindings[] = {
		{ K_ENTER, 0, "Whole text", "The whole text of the selected step", 0, show },
		{ 0 },
	};
	const struct view v = {
		.title = title,
		.help = "Each step of the way in order, with its verdict and why. A "
			"step that refused is the reason for the answer.",
		.bindings = bindings,
		.draw = draw,
		.key = key
	};
	struct steps s = { .app = app, .answer = answer };

	int r = table_create(&s.table, columns, columns, NULL);
	if (r == 0)
		r = table_set_rows(s.table, json_incref(json_object_get(answer, "steps")));
	if (r == 0) {
		table_set_look(s.table, look);
		r = screen_run(app->screen, &v, &s);
	}
	table_free(s.table);
	return r < 0 ? r : VIEW_STAYS;
}

int steps_record(struct app *app, const char *id)
{
	CLEANUP(json_decref) json_t *params = json_pack("{s:s}", "id", id);
	CLEANUP(json_decref) json_t *answer = NULL;
	struct err err = ERR_INIT;

	if (daemons_ask(&app->daemons, "cdr.explain", params, &answer, &err) == 0)
		return steps_run(app, "Why the call went as it did", answer);
	screen_say_err(app->screen, &err);
	return VIEW_STAYS;
}
