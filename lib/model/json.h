/*
 * json: the JSON codec of rows, on jansson. Money is a string, time ISO 8601, absent null, lists
 * arrays, ids 16 hex digits. What is not UTF-8 in a text from the network becomes U+FFFD.
 */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "model/entity.h"

static inline void json_decref_cleanup(json_t **j)
{
	json_decref(*j);
}

/* A text from anywhere as a JSON string. NULL if memory is short. */
json_t *json_of_text(struct str s);
/* A new object (caller's reference); secrets are left out. NULL if memory is short. */
json_t *row_to_json(const struct entity *e, const void *row);
json_t *field_to_json(const struct field *f, const void *row);
/* The key of a row as operators write it (row_key): "acme", "wholesale/880". */
void json_put_key(const struct entity *e, const json_t *row, struct buf *out);
/*
 * Sets the fields that the object names; unknown, AUTO and COMPUTED ones are refused. Keys may be
 * left out of *object when they stand in `row` already. -EINVAL with *err, -ENOMEM; the row may
 * then have been changed in part, so work on a copy.
 */
int row_from_json(const struct entity *e, void *row, const json_t *object, struct err *err);
/*
 * The text of a scalar or an array of scalars as row_parse takes it (null = nothing). -EINVAL for
 * objects, for nested arrays, for items with commas, and for reals: a decimal is written as a
 * string, since a double would change it. -ENOMEM.
 */
int json_to_text(const json_t *v, struct buf *out);
