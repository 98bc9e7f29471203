/*
 * rows: add, set, get, list, delete for any entity, from its field table.
 *
 * What is stored of an entity are its fields without the COMPUTED ones, in the order of the table.
 * Enums are stored as their words, so that a value may be added between others; money, times and
 * ids as integers. A SUBKEY text that is absent is stored as '', since a NULL is never equal to
 * another.
 */
#pragma once

#include "base/err.h"
#include "model/entity.h"
#include "store/db.h"

/* The stored fields as quoted columns, "id", "name", ...; and one '?' for each. For users with
 * tables of their own (call, outbox). */
void rows_columns(const struct entity *e, struct buf *out);
void rows_marks(const struct entity *e, struct buf *out);
/* INTO, such as "INSERT INTO call", with the stored columns, and further ones behind: ", legs" and ",?". */
int rows_prepare_insert(struct stmt **ret, struct db *d, const struct entity *e, const char *into,
			const char *more_columns, const char *more_marks);
int rows_column_count(const struct entity *e);
/* Is it a column of the entity's tables? */
bool rows_is_stored(const struct field *f);
/* Binds the stored fields from parameter `first` on (the row must live until the reset); reads them
 * from column `first` on into a new row (NULL: no memory). */
void rows_bind(const struct entity *e, struct stmt *s, int first, const void *row);
void *rows_read(const struct entity *e, struct stmt *s, int first);

/*
 * All of these fill *err whatever goes wrong. -EINVAL: a required field is absent; -EEXIST;
 * -ENOLINK: the row names another one that is not there; and db's errors.
 */
/* An AUTO integer key that is absent is set in the row. */
int rows_add(struct db *d, const struct entity *e, void *row, struct err *err);
/* Replaces the stored row of the same primary key; -ENOENT. */
int rows_set(struct db *d, const struct entity *e, const void *row, struct err *err);
/*
 * key as operators write it ("wholesale/880"). -ENOENT. Of an entity whose rows are versions (a
 * rate) the one in force at now_ms, else the next to come; the one without an origin before others,
 * unless the key names one ("wholesale/880/eea").
 */
int rows_get(struct db *d, const struct entity *e, struct str key, ms_t now_ms, void **ret,
	     struct err *err);
/* Every version of it. -ENOENT; -ENOLINK with ERR_IN_USE when other rows name it. */
int rows_del(struct db *d, const struct entity *e, struct str key, struct err *err);

/* Returns 0 to go on; the row is freed after it. */
typedef int rows_fn(void *ctx, const void *row);
/*
 * Rows in the order of their keys, after the key `after` (empty = from the start), at most `limit`
 * (0 = all); the versions of one key are not parted, so there may be a few more. 0, what on_row
 * returned, or negative errno.
 */
int rows_each(struct db *d, const struct entity *e, struct str after, int64_t limit,
	      rows_fn *on_row, void *ctx);
/* Does any row of entity e have `value` in the text field? 1, 0 or negative errno. */
int rows_has(struct db *d, const struct entity *e, int field, struct str value);
