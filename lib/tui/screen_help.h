/* screen_help: the window that F1 opens, made from a view's keys. */
#pragma once

#include "tui/screen.h"

/* As an action: VIEW_STAYS, or -ECANCELED when the screen is over. */
int screen_help(struct screen *s, const struct view *v);
