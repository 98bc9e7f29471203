/* cell: one member of one row of an answer. */
#pragma once

#include <jansson.h>

#include "tui/screen.h"

/* The text of a member; `none` where the row has no such text. A loan from the row, which may be NULL. */
const char *cell_text(const json_t *row, const char *name, const char *none);
/* Does the member have this text? */
bool cell_says(const json_t *row, const char *name, const char *text);
/* A look: a gateway or phone whose status lets it do less than everything stands out. */
enum role cell_look_status(const json_t *row);
