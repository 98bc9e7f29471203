/* shape: what makes an answer's members short enough for a column. They change the row in place. */
#pragma once

#include <jansson.h>

/* "2026-11-25T23:15:02.381Z" becomes "2026-11-25 23:15:02". */
void shape_time(json_t *row, const char *name);
/* Milliseconds become "1:02:03" or "2:03" under another name. */
void shape_duration(json_t *row, const char *ms, const char *name);
/* A text of more than `max` characters is cut. */
void shape_cut(json_t *row, const char *name, size_t max);
/* A copy without the members that are null or empty; a new reference, NULL if memory is short. */
json_t *shape_filled(const json_t *object);
