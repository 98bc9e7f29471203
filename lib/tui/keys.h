/*
 * keys: what was pressed, the same on every terminal.
 *
 * A key is an int: a code point of Unicode, a control character as itself (K_CTRL('x')), or one of
 * the K_ below. Arrows and function keys are known in the forms ESC [ and ESC O and those of vt220,
 * linux and xterm, whatever $TERM says; where there are no function keys, Esc and a digit typed
 * together (or Alt and the digit) are F1 to F10.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"

enum {
	K_NONE = 0, /* nothing came in time */
	K_TAB = '\t',
	K_ENTER = '\r',
	K_ESC = 0x1b,
	K_BACKSPACE = 0x7f,

	K_UP = 0x110000,
	K_DOWN,
	K_LEFT,
	K_RIGHT,
	K_HOME,
	K_END,
	K_PAGE_UP,
	K_PAGE_DOWN,
	K_INSERT,
	K_DELETE,
	K_BACK_TAB,
	K_RESIZE, /* the screen has another size now */
	K_GONE,   /* the terminal hung up; there will be no more keys */
	K_F0,
};
#define K_F(n)    (K_F0 + (n))
#define K_CTRL(c) ((c)&0x1f)

/* Once, after curses has begun. */
void keys_init(void);
/* Waits for at most timeout_ms. A signal ends the wait with K_NONE. */
int keys_read(int64_t timeout_ms);
/* As it stands in a line of help: "F2", "^O", "Enter", "a". */
void keys_name(int key, struct buf *out);
