/*
 * rig: a terminal of our own for a screen under test. Keys are put into it before the screen runs,
 * and what is on the screen is asked of curses.
 */
#pragma once

#include "tui/screen.h"

/*
 * A screen on a vt220 of that size that stdin and stdout then are. 0; below 0: memory was refused on
 * purpose. Every other failure fails the test.
 */
int rig_screen(struct screen **ret, struct screen_options o, int rows, int cols);
/* Closes it, if there is one, and gives stdin and stdout back: a teardown of cmocka's. */
int rig_end(void **state);
/* Typed at once, before or while a view runs. */
void rig_type(const char *bytes);
/* Another size, with its signal. */
void rig_resize(int rows, int cols);
/* A line of the screen, blanks at its end cut; a loan until the next one. */
const char *rig_line(int y);
/* Does a line of the screen hold the text? */
bool rig_has(const char *text);
/* Has the terminal been sent these bytes? */
bool rig_was_sent(const char *bytes);
