/* pager: a text in a box, to be scrolled and closed. */
#pragma once

#include "tui/screen.h"

/*
 * A box as large as the text needs, at most the page. Lines are wrapped, but those of a table (two blanks between words), which Right
 * and Left move. As screen_run.
 */
int pager_run(struct screen *s, const char *title, struct str text);
