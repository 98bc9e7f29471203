#include "tui/dialog.h"

#include "base/cleanup.h"
#include "model/text.h"
#include "tui/pager.h"
#include "tui/table.h"

enum { COLS = 60, LIST_ROWS = 14, LIST_COLS = 44 };

void dialog_message(struct screen *s, const char *title, struct str text)
{
	(void)pager_run(s, title, text);
}

static void put_part(struct buf *out, const char *name, const char *text)
{
	if (text[0])
		buf_printf(out, "\n%s %s", name, text);
}

void dialog_err(struct screen *s, const char *title, const struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	buf_printf(&text, "%s\n", err->message);
	put_part(&text, "Field:   ", err->field);
	put_part(&text, "Given:   ", err->given);
	put_part(&text, "Accepted:", err->accepted);
	(void)pager_run(s, title, buf_str(&text));
}

/* --- confirm --- */

struct question {
	struct str text;
	const char *yes;
	bool is_yes; /* the button with the cursor */
};

static void draw_question(void *ctx, struct area a)
{
	const struct question *q = ctx;
	int y = a.rows - 1, x = 2;

	(void)draw_wrapped(a, 0, ROLE_PLAIN, q->text);
	x += draw_format(a, y, x, q->is_yes ? ROLE_PLAIN : ROLE_SELECTED, "[ Cancel ]");
	(void)draw_format(a, y, x + 3, q->is_yes ? ROLE_SELECTED : ROLE_PLAIN, "[ %s ]", q->yes);
}

static int key_question(void *ctx, int key)
{
	struct question *q = ctx;

	switch (key) {
	case K_LEFT:
	case K_RIGHT:
	case K_TAB:
	case K_BACK_TAB:
	case ' ':
		q->is_yes = !q->is_yes;
		return VIEW_STAYS;
	case K_ENTER:
		return q->is_yes ? VIEW_LEAVES + 1 : VIEW_LEAVES;
	case 'n':
	case 'N':
		return VIEW_LEAVES;
	default:
		return VIEW_STAYS;
	}
}

bool dialog_confirm(struct screen *s, const char *title, struct str text, const char *yes)
{
	struct question q = { .text = text, .yes = yes };
	struct view v = { .title = title,
			  .help = "Left and Right choose a button, Enter presses it.",
			  .rows = draw_wrapped_rows(text, COLS) + 2,
			  .cols = COLS,
			  .draw = draw_question,
			  .key = key_question };

	return screen_run(s, &v, &q) == VIEW_LEAVES + 1;
}

/* --- choose --- */

static void draw_list(void *ctx, struct area a)
{
	table_draw(ctx, a);
}

/* Letters narrow the list, Backspace widens it. */
static int key_list(void *ctx, int key)
{
	CLEANUP(line_done) struct line filter = LINE_INIT(64);
	struct table *t = ctx;

	if (key == K_ENTER)
		return table_selected(t) ? VIEW_LEAVES + 1 : VIEW_STAYS;
	if (table_key(t, key))
		return VIEW_STAYS;

	int r = line_set(&filter, table_filter(t));
	if (r == 0 && line_key(&filter, key))
		r = table_set_filter(t, line_str(&filter));
	return r;
}

static int fill(struct table *t, const json_t *names, struct str start)
{
	json_t *rows = json_array();
	size_t n = json_array_size(names);

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(rows,
					    json_pack("{s:O s:I}", "name", json_array_get(names, i),
						      "i", (json_int_t)i));
	int r = table_set_rows(t, rows);
	for (size_t i = 0; r == 0 && i < n; i++) {
		const json_t *name = json_array_get(names, i);

		if (str_eq(str_of(json_string_value(name)), start))
			break;
		if (i + 1 < n)
			(void)table_key(t, K_DOWN);
		else
			(void)table_key(t, K_HOME);
	}
	return r;
}

int dialog_pick(struct screen *s, const char *title, const json_t *names, struct str start)
{
	static const char *const columns[] = { "name", NULL };
	CLEANUP(table_free) struct table *t = NULL;
	int rows = (int)json_array_size(names) + 2;
	struct view v = { .title = title,
			  .help = "Letters that you type narrow the list, Backspace widens it "
				  "again. Enter takes the selected one.",
			  .rows = rows > LIST_ROWS ? LIST_ROWS : rows + !json_array_size(names),
			  .cols = LIST_COLS,
			  .is_typing = true,
			  .draw = draw_list,
			  .key = key_list };

	if (table_create(&t, columns, columns, NULL) < 0 || fill(t, names, start) < 0)
		return -1;
	table_hide_head(t);
	if (screen_run(s, &v, t) != VIEW_LEAVES + 1)
		return -1;
	return (int)json_integer_value(json_object_get(table_selected(t), "i"));
}

int dialog_choose(struct screen *s, const char *title, const char *const *items, int start)
{
	json_t *names = json_array();

	for (int i = 0; items[i]; i++)
		(void)json_array_append_new(names, json_string(items[i]));
	int chosen = dialog_pick(
		s, title, names,
		str_of(json_string_value(json_array_get(names, (size_t)(start < 0 ? 0 : start)))));
	json_decref(names);
	return chosen;
}

/* --- input --- */

struct prompt {
	const char *label;
	struct line *line;
	bool is_secret;
};

static void draw_prompt(void *ctx, struct area a)
{
	const struct prompt *p = ctx;
	int cursor;
	struct str text = line_window(p->line, a.cols, &cursor);

	(void)draw_text(a, 0, 0, ROLE_PLAIN, str_of(p->label));
	if (p->is_secret)
		draw_stars(a, 2, 0, a.cols, ROLE_FOCUS, text);
	else
		draw_cell(a, 2, 0, a.cols, ROLE_FOCUS, text, false);
	draw_cursor(a, 2, cursor);
}

static int key_prompt(void *ctx, int key)
{
	const struct prompt *p = ctx;

	if (key == K_ENTER)
		return VIEW_LEAVES + 1;
	(void)line_key(p->line, key);
	return VIEW_STAYS;
}

static bool ask(struct screen *s, const char *title, struct prompt p)
{
	struct view v = { .title = title,
			  .help = "Enter takes the text, ^U empties the line.",
			  .rows = 3,
			  .cols = COLS,
			  .is_typing = true,
			  .draw = draw_prompt,
			  .key = key_prompt };

	return screen_run(s, &v, &p) == VIEW_LEAVES + 1;
}

bool dialog_input(struct screen *s, const char *title, const char *label, struct line *line)
{
	return ask(s, title, (struct prompt){ label, line, false });
}

bool dialog_secret(struct screen *s, const char *title, const char *label, struct line *line)
{
	return ask(s, title, (struct prompt){ label, line, true });
}
