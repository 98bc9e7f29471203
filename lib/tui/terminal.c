#include "tui/terminal.h"

#include <curses.h>
#include <stdlib.h>
#include <term.h>
#include <unistd.h>

const char *terminal_name(void)
{
	const char *name = getenv("TERM");
	int found;

	/* Asked beforehand: newterm() loses memory when it does not know the name. */
	if (!name || setupterm(name, STDOUT_FILENO, &found) != OK)
		return "vt220";
	(void)del_curterm(cur_term);
	return name;
}
