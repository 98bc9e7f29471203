/*
 * line: one line of text being typed: UTF-8, a cursor, the usual keys.
 *
 * Left, Right, Home (^A), End (^E), Backspace, Del, ^U (all before the cursor), ^K (all behind it).
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

struct line {
	struct buf text;
	size_t at;  /* the cursor, in bytes, at the begin of a character */
	size_t max; /* characters */
};

#define LINE_INIT(max) ((struct line){ BUF_INIT, 0, (max) })

/* Wiped, as it may have held a secret. */
void line_done(struct line *l);
/* The cursor then stands at the end. 0 or -ENOMEM. */
int line_set(struct line *l, struct str text);
static inline struct str line_str(const struct line *l)
{
	return buf_str(&l->text);
}
/* Was it a key of a line? */
bool line_key(struct line *l, int key);
/*
 * What stands in a window of `width` columns: the text from there on, and the column of the cursor
 * in it, which is always within.
 */
struct str line_window(const struct line *l, int width, int *ret_cursor);

static inline void line_done_cleanup(struct line *l)
{
	line_done(l);
}
