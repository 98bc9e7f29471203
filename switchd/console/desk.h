/*
 * desk: what an operator does with one row of any entity: look, make, change, delete. The forms come
 * from the entity's fields, the words from its operations.
 *
 * As actions: VIEW_STAYS, or below 0 when the page must end. *ret_done (NULL: not asked for): was
 * anything changed?
 */
#pragma once

#include <jansson.h>

#include "app.h"

/* preset: values that a new row begins with; a loan, NULL = none. */
int desk_add(struct app *app, const char *entity, const json_t *preset, bool *ret_done);
/* row: as it was listed; it is read anew before it is changed. */
int desk_change(struct app *app, const char *entity, const json_t *row, bool *ret_done);
/* question: what deleting it means, asked before. */
int desk_delete(struct app *app, const char *entity, const json_t *row, const char *question,
		bool *ret_done);
/* The answer of an operation whose key is `key`, line by line. */
int desk_show(struct app *app, const char *operation, const char *title, struct str key);
/* The same of the entity's own `show`. */
int desk_show_row(struct app *app, const char *entity, const json_t *row);
