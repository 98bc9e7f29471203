#include "tui/keys.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "model/utf8.h"

/* Long enough for a sequence to arrive over a slow line, short enough for Esc alone. */
enum { ESCAPE_MS = 120, DEAD_READS = 3 };

/* Sequences that terminals send, whatever the terminfo entry of $TERM thinks they do. */
static const struct {
	const char *sequence;
	int key;
} sequences[] = {
	{ "\033[A", KEY_UP },      { "\033OA", KEY_UP },      { "\033[B", KEY_DOWN },
	{ "\033OB", KEY_DOWN },    { "\033[C", KEY_RIGHT },   { "\033OC", KEY_RIGHT },
	{ "\033[D", KEY_LEFT },    { "\033OD", KEY_LEFT },    { "\033[H", KEY_HOME },
	{ "\033OH", KEY_HOME },    { "\033[F", KEY_END },     { "\033OF", KEY_END },
	{ "\033[1~", KEY_HOME },   { "\033[4~", KEY_END },    { "\033[7~", KEY_HOME },
	{ "\033[8~", KEY_END },    { "\033[2~", KEY_IC },     { "\033[3~", KEY_DC },
	{ "\033[5~", KEY_PPAGE },  { "\033[6~", KEY_NPAGE },  { "\033[Z", KEY_BTAB },
	{ "\033OM", KEY_ENTER },   { "\033OP", KEY_F(1) },    { "\033OQ", KEY_F(2) },
	{ "\033OR", KEY_F(3) },    { "\033OS", KEY_F(4) },    { "\033[11~", KEY_F(1) },
	{ "\033[12~", KEY_F(2) },  { "\033[13~", KEY_F(3) },  { "\033[14~", KEY_F(4) },
	{ "\033[[A", KEY_F(1) },   { "\033[[B", KEY_F(2) },   { "\033[[C", KEY_F(3) },
	{ "\033[[D", KEY_F(4) },   { "\033[[E", KEY_F(5) },   { "\033[15~", KEY_F(5) },
	{ "\033[17~", KEY_F(6) },  { "\033[18~", KEY_F(7) },  { "\033[19~", KEY_F(8) },
	{ "\033[20~", KEY_F(9) },  { "\033[21~", KEY_F(10) }, { "\033[23~", KEY_F(11) },
	{ "\033[24~", KEY_F(12) },
};

static const struct {
	int curses;
	int ours;
	const char *name;
} specials[] = {
	{ KEY_UP, K_UP, "Up" },
	{ KEY_DOWN, K_DOWN, "Down" },
	{ KEY_LEFT, K_LEFT, "Left" },
	{ KEY_RIGHT, K_RIGHT, "Right" },
	{ KEY_HOME, K_HOME, "Home" },
	{ KEY_FIND, K_HOME, "Home" },
	{ KEY_END, K_END, "End" },
	{ KEY_SELECT, K_END, "End" },
	{ KEY_PPAGE, K_PAGE_UP, "PgUp" },
	{ KEY_NPAGE, K_PAGE_DOWN, "PgDn" },
	{ KEY_IC, K_INSERT, "Ins" },
	{ KEY_DC, K_DELETE, "Del" },
	{ KEY_BTAB, K_BACK_TAB, "Shift-Tab" },
	{ KEY_BACKSPACE, K_BACKSPACE, "Backspace" },
	{ KEY_ENTER, K_ENTER, "Enter" },
	{ KEY_RESIZE, K_RESIZE, "" },
	{ 0, K_TAB, "Tab" },
	{ 0, K_ESC, "Esc" },
	{ 0, ' ', "Space" },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

void keys_init(void)
{
	(void)keypad(stdscr, TRUE);
	(void)nodelay(stdscr, TRUE);
	(void)set_escdelay(ESCAPE_MS);
	for (size_t i = 0; i < COUNT(sequences); i++)
		(void)define_key(sequences[i].sequence, sequences[i].key);
}

static int special(int code)
{
	if (code >= KEY_F(1) && code <= KEY_F(12))
		return K_F(code - KEY_F0);
	for (size_t i = 0; i < COUNT(specials); i++) {
		if (specials[i].curses == code)
			return specials[i].ours;
	}
	return K_NONE;
}

/* Esc that a digit follows at once is a function key. */
static int escape(void)
{
	wint_t next;
	int r = get_wch(&next);

	if (r == ERR)
		return K_ESC;
	if (r == OK && next >= '0' && next <= '9')
		return K_F(next == '0' ? 10 : (int)next - '0');
	if (r == OK)
		(void)unget_wch((wchar_t)next);
	else
		(void)ungetch((int)next);
	return K_ESC;
}

static int plain(wint_t c)
{
	switch (c) {
	case '\n':
		return K_ENTER;
	case K_CTRL('h'):
		return K_BACKSPACE;
	case K_CTRL('c'):
		return K_ESC;
	case K_ESC:
		return escape();
	default:
		return (int)c;
	}
}

/* ERR: nothing is there. */
static int take(void)
{
	wint_t c;
	int r = get_wch(&c);

	if (r == ERR)
		return ERR;
	return r == KEY_CODE_YES ? special((int)c) : plain(c);
}

int keys_read(int64_t timeout_ms)
{
	static int dead;
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	int key = take();

	if (key != ERR)
		return key;

	int n = poll(&p, 1, (int)(timeout_ms < 0 ? 0 : timeout_ms));
	key = take();
	if (key != ERR) {
		dead = 0;
		return key;
	}
	/* Readable and yet nothing to read: the line is closed. Half a sequence looks the same once. */
	dead = n > 0 ? dead + 1 : 0;
	return dead >= DEAD_READS ? K_GONE : K_NONE;
}

void keys_name(int key, struct buf *out)
{
	for (size_t i = 0; i < COUNT(specials); i++) {
		if (specials[i].ours == key) {
			buf_putz(out, specials[i].name);
			return;
		}
	}
	if (key > K_F0)
		buf_printf(out, "F%d", key - K_F0);
	else if (key < ' ')
		buf_printf(out, "^%c", key + '@');
	else if (key < K_BACKSPACE)
		buf_putc(out, (char)key);
}
