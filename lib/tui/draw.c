#include "tui/draw.h"

#include <curses.h>
#include <stdarg.h>

#include "base/cleanup.h"
#include "model/text.h"
#include "model/utf8.h"

enum { ELLIPSIS = 0x2026 };

static bool is_utf8, is_ascii;
static struct {
	bool is_shown;
	int y, x;
} cursor;

void draw_init(bool utf8, bool ascii)
{
	is_utf8 = utf8 && !ascii;
	is_ascii = ascii;
}

void draw_begin(void)
{
	cursor.is_shown = false;
	(void)erase();
}

void draw_end(void)
{
	(void)curs_set(cursor.is_shown);
	if (cursor.is_shown)
		(void)move(cursor.y, cursor.x);
	(void)refresh();
}

/* --- areas --- */

static int at_most(int n, int max)
{
	if (n > max)
		n = max;
	return n < 0 ? 0 : n;
}

struct area area_part(struct area a, int y, int x, int rows, int cols)
{
	return (struct area){ a.y + y, a.x + x, at_most(rows, a.rows - y),
			      at_most(cols, a.cols - x) };
}

struct area area_middle(struct area a, int rows, int cols)
{
	rows = at_most(rows, a.rows);
	cols = at_most(cols, a.cols);
	return area_part(a, (a.rows - rows) / 2, (a.cols - cols) / 2, rows, cols);
}

/* --- text --- */

static void put_ascii(struct buf *out, struct str s)
{
	int32_t c;

	while (utf8_next(&s, &c)) {
		int width = utf8_width(c);

		if (c < 0x80 && width > 0)
			buf_putc(out, (char)c);
		else if (c == ELLIPSIS)
			buf_putc(out, '~');
		else
			for (int i = 0; i < (width < 0 ? 1 : width); i++)
				buf_putc(out, '?');
	}
}

void draw_printable(struct buf *out, struct str s, int width, bool is_right)
{
	CLEANUP(buf_done) struct buf cell = BUF_INIT;

	text_put_cell(&cell, s, (size_t)at_most(width, width), is_right);
	if (is_utf8)
		buf_put(out, buf_str(&cell));
	else
		put_ascii(out, buf_str(&cell));
}

void draw_cell(struct area a, int y, int x, int width, enum role role, struct str s, bool is_right)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;

	width = at_most(width, a.cols - x);
	if (y < 0 || y >= a.rows || x < 0 || width == 0)
		return;
	draw_printable(&out, s, width, is_right);

	/* curses looks at the octet behind the last one before it counts. */
	const char *text = buf_cstr(&out);

	if (!text)
		return;
	(void)attrset((int)theme_attr(role));
	(void)mvaddstr(a.y + y, a.x + x, text);
	(void)attrset(A_NORMAL);
}

int draw_text(struct area a, int y, int x, enum role role, struct str s)
{
	int width = at_most((int)text_width(s), a.cols - x);

	draw_cell(a, y, x, width, role, s, false);
	return width;
}

int draw_format(struct area a, int y, int x, enum role role, const char *fmt, ...)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	return draw_text(a, y, x, role, buf_str(&b));
}

void draw_stars(struct area a, int y, int x, int width, enum role role, struct str secret)
{
	draw_cell(a, y, x, width, role, STR(""), false);
	for (size_t i = 0; i < text_width(secret) && (int)i < width; i++)
		(void)draw_text(a, y, x + (int)i, role, STR("*"));
}

void draw_fill(struct area a, enum role role)
{
	for (int y = 0; y < a.rows; y++)
		draw_cell(a, y, 0, a.cols, role, STR(""), false);
}

/* --- wrapping --- */

/* Bytes at the front of s that take at most width columns, at least one character. */
static size_t fitting(struct str s, int width)
{
	struct str rest = s, before = s;
	int32_t c;

	while (utf8_next(&rest, &c) && c != '\n') {
		int w = utf8_width(c);

		width -= w < 0 ? 1 : w;
		if (width < 0 && before.n < s.n)
			break;
		before = rest;
	}
	return s.n - before.n;
}

bool draw_next_piece(struct str *rest, int width, struct str *ret)
{
	if (rest->n == 0)
		return false;

	size_t n = fitting(*rest, width), cut = n;
	bool is_cut = n < rest->n && rest->p[n] != '\n';

	/* Back to the last blank, unless the word fills the line. */
	while (is_cut && cut > 0 && rest->p[cut] != ' ')
		cut--;
	if (cut == 0)
		cut = n;
	*ret = str_head(*rest, cut);
	bool eats = cut < rest->n && (rest->p[cut] == ' ' || rest->p[cut] == '\n');
	*rest = str_skip(*rest, cut + eats);
	return true;
}

int draw_wrapped_rows(struct str text, int cols)
{
	struct str piece;
	int rows = 0;

	while (draw_next_piece(&text, cols, &piece))
		rows++;
	return rows;
}

int draw_wrapped(struct area a, int y, enum role role, struct str text)
{
	struct str piece;
	int rows = 0;

	for (; draw_next_piece(&text, a.cols, &piece); rows++)
		(void)draw_text(a, y + rows, 0, role, piece);
	return rows;
}

/* --- lines --- */

enum line_part { ACROSS, DOWN, UPPER_LEFT, UPPER_RIGHT, LOWER_LEFT, LOWER_RIGHT };

/* In UTF-8 as text: a terminal that lost a byte then never stays in another set of characters. */
static void put_part(int y, int x, enum line_part part)
{
	static const char *const fine[] = { "\xe2\x94\x80", "\xe2\x94\x82", "\xe2\x94\x8c",
					    "\xe2\x94\x90", "\xe2\x94\x94", "\xe2\x94\x98" };
	static const char plain[] = "-|++++";
	const chtype own[] = { ACS_HLINE,    ACS_VLINE,    ACS_ULCORNER,
			       ACS_URCORNER, ACS_LLCORNER, ACS_LRCORNER };

	if (is_utf8)
		(void)mvaddstr(y, x, fine[part]);
	else if (!is_ascii && tigetstr("acsc"))
		(void)mvaddch(y, x, own[part]);
	else
		(void)mvaddch(y, x, (chtype)(unsigned char)plain[part]);
}

static void across(struct area a, int y)
{
	for (int x = 0; x < a.cols; x++)
		put_part(a.y + y, a.x + x, ACROSS);
}

void draw_rule(struct area a, int y)
{
	if (y < 0 || y >= a.rows)
		return;
	(void)attrset((int)theme_attr(ROLE_FRAME));
	across(a, y);
	(void)attrset(A_NORMAL);
}

struct area draw_box(struct area a, struct str title)
{
	int right = a.x + a.cols - 1, bottom = a.y + a.rows - 1;

	draw_fill(a, ROLE_PLAIN);
	(void)attrset((int)theme_attr(ROLE_FRAME));
	across(a, 0);
	across(a, a.rows - 1);
	for (int y = a.y + 1; y < bottom; y++) {
		put_part(y, a.x, DOWN);
		put_part(y, right, DOWN);
	}
	put_part(a.y, a.x, UPPER_LEFT);
	put_part(a.y, right, UPPER_RIGHT);
	put_part(bottom, a.x, LOWER_LEFT);
	put_part(bottom, right, LOWER_RIGHT);
	(void)attrset(A_NORMAL);
	if (title.n)
		(void)draw_format(area_part(a, 0, 2, 1, a.cols - 4), 0, 0, ROLE_HEAD, " %.*s ",
				  STR_ARG(title));
	return area_part(a, 1, 2, a.rows - 2, a.cols - 4);
}

void draw_cursor(struct area a, int y, int x)
{
	cursor.is_shown = true;
	cursor.y = a.y + at_most(y, a.rows - 1);
	cursor.x = a.x + at_most(x, a.cols - 1);
}
