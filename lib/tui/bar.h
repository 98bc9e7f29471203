/* bar: the first and the last line of the screen. */
#pragma once

#include "tui/screen.h"

/* "Tandem  Accounts              UNLICENSED  12:34 UTC" */
void bar_draw_title(struct area a, const char *program, const char *title, const char *marks,
		    ms_t wall_ms);
/* "F1 Help  a Add  Enter Change  Esc Back": what fits of the view's keys. */
void bar_draw_keys(struct area a, const struct view *v, bool is_read_only);
