/*
 * schema: the tables of a file as they should be, and making it so.
 *
 * A table is declared once: the stored fields of an entity, further columns, constraints and
 * indexes. A new file gets the tables as declared. In a file that exists, tables, columns and
 * indexes that are missing are added (so a new row in entities.tsv is a new column, with its
 * default in old rows). A column that is not declared is a newer program's: it is left alone if rows can be
 * made without it, else the file is refused.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "model/entity.h"
#include "store/db.h"

enum { SCHEMA_COLUMNS = 24 };

struct table {
	const char *name;
	const struct entity *entity;             /* its stored fields come first; or NULL */
	const char *columns[SCHEMA_COLUMNS + 1]; /* "name TYPE ...", NULL-terminated */
	const char *check;                       /* a table constraint, or NULL */
	const char *key; /* its primary key, of a table that is kept in the order of it; or NULL */
	const char *indexes; /* CREATE INDEX IF NOT EXISTS ...; or NULL */
};

/* CREATE TABLE ... STRICT */
void schema_ddl(const struct table *t, struct buf *out);
/* Does the file hold no table at all? 1, 0 or negative errno. */
int schema_is_empty(struct db *d);
/*
 * Makes the tables so, in the open transaction. -EPROTO with *err for a column of a newer program;
 * db's errors. A field that is added later must have a default or be optional (-EINVAL).
 */
int schema_apply(struct db *d, const struct table *tables, int count, struct err *err);
/* Adds the names of a table's columns to out, each with a NUL behind it; nothing if there is no
 * such table. */
int schema_columns(struct db *d, const char *table, struct buf *out);
/* Is it one of these? */
bool schema_has(struct str names, struct str column);
