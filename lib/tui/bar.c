#include "tui/bar.h"

#include "base/cleanup.h"
#include "model/text.h"

enum { MARKS = 28 }; /* columns, so that they leave some for the title */

void bar_draw_title(struct area a, const char *program, const char *title, const char *marks,
		    ms_t wall_ms)
{
	char now[CLOCK_TEXT];
	int right = a.cols - 10;

	draw_fill(a, ROLE_BAR);
	/* 2026-11-25T12:34:56.789Z: hours and minutes. */
	(void)draw_format(a, 0, right, ROLE_BAR, "%.5s UTC", clock_text(wall_ms, now) + 11);
	if (marks[0]) {
		int width = (int)text_width(str_of(marks));

		if (width > MARKS)
			width = MARKS;
		right -= width + 3;
		draw_cell(a, 0, right, width + 2, ROLE_MARK, STR(""), false);
		draw_cell(a, 0, right + 1, width, ROLE_MARK, str_of(marks), false);
	}
	a.cols = right - 1;
	int x = 1 + draw_text(a, 0, 1, ROLE_BAR_KEY, str_of(program));
	(void)draw_text(a, 0, x + 2, ROLE_BAR, str_of(title));
}

/* "F2/^O Save", as far as there is room. Returns the columns it took. */
static int put_key(struct area a, int x, int key, int alt, const char *word)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	int from = x;

	keys_name(key, &name);
	if (alt) {
		buf_putc(&name, '/');
		keys_name(alt, &name);
	}
	if (x + (int)text_width(buf_str(&name)) + 1 + (int)text_width(str_of(word)) > a.cols)
		return 0;
	x += draw_text(a, 0, x, ROLE_BAR_KEY, buf_str(&name));
	x += draw_text(a, 0, x, ROLE_BAR, STR(" "));
	x += draw_text(a, 0, x, ROLE_BAR, str_of(word));
	return x - from + 2;
}

/* The alternative of a function key or a control key is for terminals without the first. */
static int shown_alt(const struct binding *b)
{
	return b->key > K_F0 ? b->alt : 0;
}

void bar_draw_keys(struct area a, const struct view *v, bool is_read_only)
{
	int x = 1;

	draw_fill(a, ROLE_BAR);
	x += put_key(a, x, K_F(1), v->is_typing ? K_CTRL('g') : '?', "Help");
	if (!v->is_firm)
		x += put_key(a, x, K_ESC, 0, v->rows ? "Close" : "Back");
	for (const struct binding *b = v->bindings; b && b->act; b++) {
		if (b->flags & BINDING_QUIET || (b->flags & BINDING_CHANGES && is_read_only))
			continue;
		x += put_key(a, x, b->key, shown_alt(b), b->word);
	}
}
