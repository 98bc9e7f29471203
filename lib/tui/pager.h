/* pager: a text in a box, to be scrolled and closed. */
#pragma once

#include "tui/screen.h"

/* A box as large as the text needs, at most the page; lines are wrapped. As screen_run. */
int pager_run(struct screen *s, const char *title, struct str text);
