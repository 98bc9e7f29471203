/*
 * dialog: boxes that ask one thing. Each runs until it is answered; what is not answered (Esc, the
 * screen is over) is the answer that changes nothing.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "tui/line.h"
#include "tui/screen.h"

/* Tells something, until a key is pressed. */
void dialog_message(struct screen *s, const char *title, struct str text);
/* The same of a refusal: what, which field, what was given, what would be accepted. */
void dialog_err(struct screen *s, const char *title, const struct err *err);
/* Asks before something that cannot be taken back. `yes` is the word of the button; the other one,
 * "Cancel", has the cursor at the begin. */
bool dialog_confirm(struct screen *s, const char *title, struct str text, const char *yes);
/* Index of the chosen one, -1 for none. items: NULL-terminated. start: where the cursor stands. */
int dialog_choose(struct screen *s, const char *title, const char *const *items, int start);
/* The same of an array of strings; letters that are typed narrow the list. */
int dialog_pick(struct screen *s, const char *title, const json_t *names, struct str start);
/* One line of text, in and out. true: entered. */
bool dialog_input(struct screen *s, const char *title, const char *label, struct line *line);
/* The same, shown as stars. */
bool dialog_secret(struct screen *s, const char *title, const char *label, struct line *line);
