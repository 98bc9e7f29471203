/*
 * draw: text within a rectangle of the screen.
 *
 * The only way to the screen: whatever came from a stranger passes text_put (model/text.h), so
 * control characters, invisible and reordering ones and broken UTF-8 never reach the terminal; and
 * nothing is written outside its area. A locale without UTF-8 gets '?' for what is not ASCII,
 * and the terminal's own lines or those made of - | +.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"
#include "tui/theme.h"

struct area {
	int y, x; /* of its upper left corner on the screen */
	int rows, cols;
};

/* Once, after curses has begun: may the terminal be sent UTF-8? is_ascii: nothing but ASCII. */
void draw_init(bool is_utf8, bool is_ascii);
/* Around everything that makes one picture; the second sends it. */
void draw_begin(void);
void draw_end(void);

/* The part of a that begins at y, x in it, at most rows by cols. */
struct area area_part(struct area a, int y, int x, int rows, int cols);
/* rows by cols in the middle of a, or as much of it as there is. */
struct area area_middle(struct area a, int rows, int cols);

/* All of it blank, in the look of the role. */
void draw_fill(struct area a, enum role role);
/* s at y, x of the area, cut at its right edge. Returns the columns it took. */
int draw_text(struct area a, int y, int x, enum role role, struct str s);
__attribute__((format(printf, 5, 6))) int draw_format(struct area a, int y, int x, enum role role,
						      const char *fmt, ...);
/* Exactly width columns, cut with an ellipsis or padded. */
void draw_cell(struct area a, int y, int x, int width, enum role role, struct str s, bool is_right);
/* A star for each character. */
void draw_stars(struct area a, int y, int x, int width, enum role role, struct str secret);
/* Lines of text wrapped at words from y on; returns the number of rows. */
int draw_wrapped(struct area a, int y, enum role role, struct str text);
/* How many rows that takes at this width. */
int draw_wrapped_rows(struct str text, int cols);
/* A line across. */
void draw_rule(struct area a, int y);
/* A frame with a title, blank inside; returns the inside, a column of air on both sides. */
struct area draw_box(struct area a, struct str title);
/* Where the terminal's cursor stands in this picture; without it there is none. */
void draw_cursor(struct area a, int y, int x);

/* The next piece of *rest that fits into width columns, cut at a blank or a newline; false at the
 * end. An empty line is a piece. */
bool draw_next_piece(struct str *rest, int width, struct str *ret);
/* s as it would be sent: printable, in ASCII if need be, exactly width columns. */
void draw_printable(struct buf *out, struct str s, int width, bool is_right);
