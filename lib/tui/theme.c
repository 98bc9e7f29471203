#include "tui/theme.h"

#include <curses.h>

static const struct {
	short front, back; /* -1: the terminal's own */
	unsigned colour;   /* with colours */
	unsigned mono;     /* without */
} looks[ROLE_COUNT] = {
	[ROLE_PLAIN] = { -1, -1, A_NORMAL, A_NORMAL },
	[ROLE_BAR] = { COLOR_WHITE, COLOR_BLUE, A_NORMAL, A_REVERSE },
	[ROLE_BAR_KEY] = { COLOR_YELLOW, COLOR_BLUE, A_BOLD, A_REVERSE | A_BOLD },
	[ROLE_MARK] = { COLOR_BLACK, COLOR_YELLOW, A_NORMAL, A_BOLD },
	[ROLE_HEAD] = { COLOR_CYAN, -1, A_BOLD, A_BOLD | A_UNDERLINE },
	[ROLE_SELECTED] = { COLOR_BLACK, COLOR_CYAN, A_NORMAL, A_REVERSE },
	[ROLE_FIELD] = { -1, -1, A_UNDERLINE, A_UNDERLINE },
	[ROLE_FOCUS] = { COLOR_BLACK, COLOR_CYAN, A_NORMAL, A_REVERSE },
	[ROLE_FRAME] = { COLOR_CYAN, -1, A_NORMAL, A_NORMAL },
	[ROLE_DIM] = { COLOR_CYAN, -1, A_NORMAL, A_NORMAL },
	[ROLE_GOOD] = { COLOR_GREEN, -1, A_BOLD, A_NORMAL },
	[ROLE_WARN] = { COLOR_YELLOW, -1, A_BOLD, A_BOLD },
	[ROLE_BAD] = { COLOR_RED, -1, A_BOLD, A_BOLD | A_REVERSE },
};

static bool is_coloured;

void theme_init(void)
{
	is_coloured =
		has_colors() && start_color() == OK && COLORS >= 8 && COLOR_PAIRS > ROLE_COUNT;
	if (!is_coloured)
		return;
	/* Where the terminal's own colours cannot be kept, theirs are white on black. */
	bool has_own = use_default_colors() == OK;
	for (int i = 1; i < ROLE_COUNT; i++) {
		short front = looks[i].front, back = looks[i].back;

		if (!has_own && front < 0)
			front = COLOR_WHITE;
		if (!has_own && back < 0)
			back = COLOR_BLACK;
		(void)init_pair((short)i, front, back);
	}
}

unsigned theme_attr(enum role role)
{
	if (!is_coloured)
		return looks[role].mono;
	return looks[role].colour | (unsigned)COLOR_PAIR((int)role);
}
