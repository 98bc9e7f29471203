/*
 * source: the tables of another system as its files have them: a mysqldump (text), a tar of CSV files, one a table, or one CSV file.
 *
 * The file is read from its beginning to its end, a row at a time; nothing of it is kept. What makes no sense is named with its line,
 * and reading goes on behind it. Belongs to one thread.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { SOURCE_COLUMNS = 256, SOURCE_ROW_BYTES = 4 << 20 };

struct source_cell {
	struct str text; /* valid until the next row */
	bool is_null;
};

struct source_user {
	/* A table, or the same again: are its rows wanted? The names are valid until the next table. */
	bool (*on_table)(void *ctx, struct str table, const struct str *column, size_t columns);
	/* As many cells as the table has columns. line: where the row begins. 0 to go on. */
	int (*on_row)(void *ctx, const struct source_cell *cell, uint64_t line);
	/* reason: a literal. 0 to go on. */
	int (*on_problem)(void *ctx, struct str table, uint64_t line, const char *reason);
	void *ctx;
	const atomic_bool *stop; /* may be NULL */
};

/*
 * table: of a single CSV file, whose name nobody knows; empty: the file says it. 0; -EINVAL with *err: no such file at all; -ENOMEM;
 * -ECANCELED; what a callback returned.
 */
int source_read(struct str file, struct str table, const struct source_user *user, struct err *err);

/* ---- dump.c: a mysqldump. ---- */
bool dump_is(struct str file);
int dump_read(struct str file, const struct source_user *user);
