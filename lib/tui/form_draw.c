#include "base/cleanup.h"
#include "tui/form_inner.h"

enum { LABEL = 22, FOOT = 4 }; /* columns of a label; rows of the explanation, with its rule */

static bool is_shown(const struct form_field *x)
{
	return !x->is_hidden;
}

/* --- rows of a field: itself, and what is wrong with it --- */

static void put_error(const struct err *err, struct buf *out)
{
	buf_printf(out, "%s%s%s", err->message, err->accepted[0] ? ": " : "", err->accepted);
}

static int rows_of(const struct form_field *x, int cols)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (!err_is_set(&x->err))
		return 1;
	put_error(&x->err, &text);
	return 1 + draw_wrapped_rows(buf_str(&text), cols - LABEL - 2);
}

static void draw_error(struct area a, int y, const struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	put_error(err, &text);
	(void)draw_text(a, y, LABEL - 1, ROLE_BAD, STR("!"));
	(void)draw_wrapped(area_part(a, 0, LABEL + 1, a.rows, a.cols - LABEL - 2), y, ROLE_BAD,
			   buf_str(&text));
}

/* --- values --- */

static void draw_choice(struct area a, int y, const struct form_field *x, bool has_cursor)
{
	int at = LABEL + 1;

	at += draw_text(a, y, at, ROLE_DIM, STR("< "));
	at += draw_text(a, y, at, has_cursor ? ROLE_FOCUS : ROLE_PLAIN, line_str(&x->line));
	(void)draw_text(a, y, at, ROLE_DIM, STR(" >"));
	if (has_cursor)
		draw_cursor(a, y, LABEL + 3);
}

static void draw_typed(struct area a, int y, const struct form_field *x, bool has_cursor)
{
	int width = a.cols - LABEL - 3, cursor = 0;
	enum role role = has_cursor ? ROLE_FOCUS : ROLE_FIELD;
	struct str text = has_cursor ? line_window(&x->line, width, &cursor) : line_str(&x->line);

	if ((size_t)width > x->item.max && x->item.max)
		width = (int)x->item.max + 1;
	if (x->item.kind == FORM_SECRET)
		draw_stars(a, y, LABEL + 1, width, role, text);
	else
		draw_cell(a, y, LABEL + 1, width, role, text, false);
	if (has_cursor)
		draw_cursor(a, y, LABEL + 1 + cursor);
}

static void draw_field(struct area a, int y, const struct form_field *x, bool has_cursor)
{
	const char *label = x->item.label ? x->item.label : x->item.name;
	CLEANUP(buf_done) struct buf name = BUF_INIT;

	buf_printf(&name, "%s%s", label, x->item.is_required ? " *" : "");
	if (x->item.kind == FORM_TITLE) {
		(void)draw_text(a, y, 0, ROLE_HEAD, buf_str(&name));
		return;
	}
	draw_cell(a, y, 0, LABEL, has_cursor ? ROLE_HEAD : ROLE_PLAIN, buf_str(&name), false);
	if (x->item.kind == FORM_CHOICE)
		draw_choice(a, y, x, has_cursor);
	else if (x->item.kind == FORM_FIXED)
		(void)draw_text(a, y, LABEL + 1, ROLE_PLAIN, line_str(&x->line));
	else
		draw_typed(a, y, x, has_cursor);
	if (err_is_set(&x->err))
		draw_error(a, y + 1, &x->err);
}

/* --- the page --- */

/* Row of a field within all of them; that of the buttons for `count`. */
static int row_of(const struct form *f, int at, int cols)
{
	int row = 0;

	for (int i = 0; i < at && i < f->count; i++)
		row += is_shown(&f->field[i]) ? rows_of(&f->field[i], cols) : 0;
	return at < f->count ? row : row + 1;
}

static void keep_in_sight(struct form *f, struct area a)
{
	bool is_button = f->at >= f->count;
	int first = row_of(f, f->at, a.cols);
	int last = first + (is_button ? 0 : rows_of(&f->field[f->at], a.cols) - 1);

	if (last >= f->top + a.rows)
		f->top = last - a.rows + 1;
	if (first < f->top)
		f->top = first;
	/* A heading above the first field comes into sight with it. */
	if (f->top == 1)
		f->top = 0;
}

static void draw_buttons(const struct form *f, struct area a, int y)
{
	int x = LABEL + 1;

	if (y < 0 || y >= a.rows)
		return;
	for (int i = 0; i < 2; i++)
		x += 3 + draw_format(a, y, x, f->at == f->count + i ? ROLE_SELECTED : ROLE_PLAIN,
				     "[ %s ]", f->button[i]);
	if (err_is_set(&f->err))
		draw_error(a, y + 1, &f->err);
}

static void draw_foot(const struct form *f, struct area a)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	const struct form_field *x = f->at < f->count ? &f->field[f->at] : NULL;

	draw_rule(a, 0);
	a = area_part(a, 1, 1, a.rows - 1, a.cols - 2);
	if (err_is_set(&f->err)) {
		put_error(&f->err, &text);
		(void)draw_wrapped(a, 0, ROLE_BAD, buf_str(&text));
		return;
	}
	if (!x)
		return;
	if (x->item.help)
		buf_printf(&text, "%s\n", x->item.help);
	if (x->accepts[0])
		buf_printf(&text, "%s", x->accepts);
	(void)draw_wrapped(a, 0, ROLE_DIM, buf_str(&text));
}

void form_draw(void *ctx, struct area a)
{
	struct form *f = ctx;
	struct area page = area_part(a, 0, 1, a.rows - FOOT, a.cols - 2), fields;
	int intro = 0;

	if (f->intro)
		intro = draw_wrapped(page, 0, ROLE_PLAIN, str_of(f->intro)) + 1;
	fields = area_part(page, intro, 0, page.rows - intro, page.cols);
	keep_in_sight(f, fields);
	for (int i = 0, y = -f->top; i < f->count; i++) {
		struct form_field *x = &f->field[i];

		if (!is_shown(x))
			continue;
		if (y >= 0 && y < fields.rows)
			draw_field(fields, y, x, i == f->at);
		y += rows_of(x, fields.cols);
	}
	draw_buttons(f, fields, row_of(f, f->count, fields.cols) - f->top);
	draw_foot(f, area_part(a, a.rows - FOOT, 0, FOOT, a.cols));
}
