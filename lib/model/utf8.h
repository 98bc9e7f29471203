/*
 * utf8: text one code point at a time, and what each does to a screen.
 *
 * Which characters are wide, combining or unsafe comes from Python's copy of the Unicode tables
 * (gen.py), so that no locale is asked.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum { UTF8_BAD = -1 };

/* Takes the next code point off the front of *rest and says true; false when *rest is used up. A
 * byte that belongs to no UTF-8 sequence is taken alone, as UTF8_BAD. */
bool utf8_next(struct str *rest, int32_t *ret);
bool utf8_is_valid(struct str s);
/* Code points; each byte that is not UTF-8 counts as one. */
size_t utf8_length(struct str s);
/* C0, DEL, C1, bidirectional overrides and line separators: they have no business in a field. */
bool utf8_is_control(int32_t c);
/* Columns on a screen: 0 (combining), 1 or 2. -1 for UTF8_BAD and for what must not reach one:
 * controls, and characters that are invisible or reorder others. */
int utf8_width(int32_t c);
/* With U+FFFD for each byte that is not UTF-8. */
void buf_put_utf8(struct buf *b, struct str s);
