/*
 * rows: add, set, get, list, delete for any entity, from its field table.
 */
#pragma once

#include "base/err.h"
#include "model/entity.h"
#include "store/db.h"

/* Column list of the stored fields, "id, name, ..."; and one '?' for each. For users with their own tables (call, outbox). */
void rows_columns(const struct entity *e, struct buf *out);
void rows_marks(const struct entity *e, struct buf *out);
int rows_column_count(const struct entity *e);
/* DDL of a table with the entity's stored fields, STRICT, with its CHECKs and primary key. */
void rows_ddl(const struct entity *e, const char *table, struct buf *out);
/* Binds the stored fields from parameter `first` on; reads them from column `first` on into a new row (NULL: no memory). */
void rows_bind(const struct entity *e, struct stmt *s, int first, const void *row);
void *rows_read(const struct entity *e, struct stmt *s, int first);

/* -EEXIST, -EINVAL with *err; AUTO integer keys are set in row. */
int rows_add(struct db *d, const struct entity *e, void *row, struct err *err);
/* Replaces the stored row of the same primary key; -ENOENT. */
int rows_set(struct db *d, const struct entity *e, const void *row, struct err *err);
/* key as operators write it ("wholesale/880"). -ENOENT. For a rate: the version in force, else the next to come. */
int rows_get(struct db *d, const struct entity *e, struct str key, void **ret, struct err *err);
int rows_del(struct db *d, const struct entity *e, struct str key, struct err *err);
/* Rows in the order of their keys, after `after` (empty = from the start), at most limit (0 = all). on_row returns 0 to go on;
 * the row is freed after it. */
typedef int rows_fn(void *ctx, const void *row);
int rows_each(struct db *d, const struct entity *e, struct str after, int64_t limit, rows_fn *on_row, void *ctx);
/* Does any row of entity e have `value` in `field`? 1, 0 or negative errno. */
int rows_has(struct db *d, const struct entity *e, int field, struct str value);
