#include "list.h"

#include <errno.h>
#include <stdarg.h>

#include "base/clock.h"
#include "model/json.h"
#include "model/param.h"
#include "model/text.h"
#include "tui/dialog.h"

/* PAGE: rows that an operation answers unless it is told how many. */
enum { TICK_MS = 1000, PAGE = 100 };

struct list {
	struct app *app;
	const struct list_spec *spec;
	struct table *table;
	json_t *args;
	json_t *rows; /* as they were answered; each has a twin in the table */
	ms_t read_at; /* monotonic; 0 = not yet */
	struct err trouble;
};

/* --- reading --- */

/* What the table shows: shaped copies that know which row they are of. */
static json_t *shaped(const struct list *l, const json_t *rows)
{
	json_t *copy = json_deep_copy(rows), *row;
	size_t i;

	json_array_foreach(copy, i, row)
	{
		if (!json_is_object(row))
			continue;
		if (l->spec->shape)
			l->spec->shape(row);
		if (json_object_set_new(row, "#", json_integer((json_int_t)i)) < 0) {
			json_decref(copy);
			return NULL;
		}
	}
	return copy;
}

/* Amounts as SERVER_DISPLAY_MONEY_PRECISION has them; whole if it is not said. */
static int round_amounts(const struct list *l, json_t *rows)
{
	const struct entity *e = l->spec->entity ? entity_find(str_of(l->spec->entity)) : NULL;
	CLEANUP(json_decref) json_t *answer = NULL, *params = NULL;
	struct err ignored = ERR_INIT;
	int64_t decimals;

	if (!json_array_size(rows) || !text_has_amounts(e))
		return 0;
	params = json_pack("{s:s}", "name", param_infos[PARAM_SERVER_DISPLAY_MONEY_PRECISION].name);
	if (!params ||
	    daemons_ask(&l->app->daemons, "parameter.show", params, &answer, &ignored) < 0)
		return 0;
	const char *value = json_string_value(json_object_get(answer, "value"));
	return str_to_i64(str_of(value), 0, 8, &decimals) < 0
		       ? 0
		       : text_round_amounts(rows, e, (int)decimals);
}

static int take(struct list *l, json_t *rows)
{
	json_t *of_report = json_object_get(rows, "rows"); /* a report has more around them */
	if (of_report) {
		json_incref(of_report);
		json_decref(rows);
		rows = of_report;
	}

	json_t *copy = shaped(l, rows);
	int r = copy ? round_amounts(l, copy) : -ENOMEM;

	if (r == 0)
		r = table_set_rows(l->table, copy);
	else
		json_decref(copy);
	if (r < 0) {
		json_decref(rows);
		return r;
	}
	json_decref(l->rows);
	l->rows = rows;
	return 0;
}

int list_read(struct list *l)
{
	json_t *rows = NULL;

	l->trouble = ERR_INIT;
	l->read_at = clock_mono_ms();
	int r = daemons_ask(&l->app->daemons, l->spec->op, l->args, &rows, &l->trouble);
	if (r == 0)
		r = take(l, rows);
	return r == -ENOMEM ? r : VIEW_STAYS;
}

/* What is in trouble is tried again at once. */
static int tick(void *ctx)
{
	struct list *l = ctx;
	ms_t now = clock_mono_ms();
	bool is_due = l->spec->period_ms && now - l->read_at >= l->spec->period_ms;

	return !l->read_at || is_due || err_is_set(&l->trouble) ? list_read(l) : VIEW_STAYS;
}

/* --- the picture --- */

static void put_args(const struct list *l, struct buf *out)
{
	const char *name;
	json_t *v;

	json_object_foreach(l->args, name, v)
	{
		buf_printf(out, "%s%s ", out->n ? ", " : "", name);
		(void)json_to_text(v, out);
	}
}

static void draw(void *ctx, struct area a)
{
	CLEANUP(buf_done) struct buf args = BUF_INIT;
	struct list *l = ctx;
	int y = 0;

	a = area_part(a, 0, 1, a.rows, a.cols - 2);
	put_args(l, &args);
	if (args.n)
		(void)draw_text(a, y++, 0, ROLE_DIM, buf_str(&args));
	if (err_is_set(&l->trouble))
		(void)draw_format(a, y++, 0, ROLE_BAD, "%s%s%s", l->trouble.message,
				  l->trouble.accepted[0] ? ": " : "", l->trouble.accepted);
	if (l->rows || !err_is_set(&l->trouble))
		table_draw(l->table, area_part(a, y, 0, a.rows - y, a.cols));
}

static int key(void *ctx, int k)
{
	struct list *l = ctx;

	(void)table_key(l->table, k);
	return k == 'q' ? VIEW_LEAVES : VIEW_STAYS;
}

/* --- keys --- */

int list_ask(struct list *l, const char *operation, json_t *params, const char *fmt, ...)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	if (daemons_ask(&l->app->daemons, operation, params, NULL, &err) < 0)
		screen_say_err(l->app->screen, &err);
	else
		screen_say(l->app->screen, ROLE_GOOD, "%.*s", STR_ARG(buf_str(&text)));
	json_decref(params);
	return list_read(l);
}

int list_search(void *ctx)
{
	CLEANUP(line_done) struct line text = LINE_INIT(64);
	struct list *l = ctx;

	if (line_set(&text, table_filter(l->table)) < 0)
		return -ENOMEM;
	if (!dialog_input(l->app->screen, "Search", "Only rows that hold:", &text))
		return VIEW_STAYS;
	return table_set_filter(l->table, line_str(&text));
}

int list_older(void *ctx)
{
	const struct list *l = ctx;
	const json_t *last = list_last_row(l);

	if (!last || list_count(l) < PAGE) {
		screen_say(list_app(ctx)->screen, ROLE_DIM, "There are no older ones");
		return VIEW_STAYS;
	}
	if (json_object_set(list_args(ctx), "after", json_object_get(last, "id")) < 0)
		return -ENOMEM;
	return list_read(ctx);
}

int list_newest(void *ctx)
{
	(void)json_object_del(list_args(ctx), "after");
	return list_read(ctx);
}

int list_refresh(void *ctx)
{
	struct list *l = ctx;
	int r = list_read(l);

	if (r == 0 && !err_is_set(&l->trouble))
		screen_say(l->app->screen, ROLE_DIM, "Read again");
	return r;
}

struct app *list_app(struct list *l)
{
	return l->app;
}

const char *list_entity(struct list *l)
{
	return l->spec->entity;
}

const json_t *list_row(struct list *l)
{
	const json_t *row = table_selected(l->table), *number = json_object_get(row, "#");

	if (!row) {
		screen_say(l->app->screen, ROLE_DIM, "No row is selected");
		return NULL;
	}
	return json_array_get(l->rows, (size_t)json_integer_value(number));
}

json_t *list_args(struct list *l)
{
	return l->args;
}

int list_set_columns(struct list *l, const char *const *columns)
{
	return table_set_columns(l->table, columns);
}

const json_t *list_last_row(const struct list *l)
{
	size_t n = json_array_size(l->rows);

	return n ? json_array_get(l->rows, n - 1) : NULL;
}

size_t list_count(const struct list *l)
{
	return json_array_size(l->rows);
}

/* --- the page --- */

int list_run(struct app *app, const struct list_spec *spec, const json_t *args)
{
	struct list l = { .app = app, .spec = spec };
	const struct view v = { .title = spec->title,
				.help = spec->help,
				.bindings = spec->bindings,
				.period_ms = TICK_MS,
				.draw = draw,
				.key = key,
				.tick = tick };
	const struct entity *e = spec->entity ? entity_find(str_of(spec->entity)) : NULL;

	l.args = args ? json_deep_copy(args) : json_object();
	int r = l.args ? table_create(&l.table, spec->columns, spec->keys, e) : -ENOMEM;
	if (r == 0) {
		table_set_look(l.table, spec->look);
		r = screen_run(app->screen, &v, &l);
	}
	table_free(l.table);
	json_decref(l.rows);
	json_decref(l.args);
	return r < 0 ? r : VIEW_STAYS;
}
