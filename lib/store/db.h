/*
 * db: SQLite behind a small face; lib/store is its only includer.
 *
 * A connection belongs to one thread. WAL, synchronous=FULL, foreign keys on, trusted_schema off,
 * defensive; new files are readable by their owner alone. Errors are negative errno:
 *
 *	-EBUSY   locked beyond the timeout       -EEXIST  unique
 *	-ENOSPC  disk full                       -EDOM    a CHECK, NOT NULL or type
 *	-EROFS   read only                       -ENOLINK a foreign key
 *	-EIO     the disk                        -EUCLEAN corrupt, or no database
 *	-ENOENT  no such file                    -EINVAL  a mistake in SQL
 *	-ENOMEM, -EACCES                         -ECANCELED db_set_stop
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/str.h"

struct db;
struct stmt;

enum db_mode { DB_READ, DB_WRITE };

/* DB_WRITE makes the file if need be; DB_READ changes nothing. busy_ms: how long a locked database
 * is waited for. */
int db_open(struct db **ret, const char *path, enum db_mode mode, int busy_ms);
/* Its statements must be freed before. Accepts NULL and returns NULL. */
struct db *db_close(struct db *d);
DEFINE_CLEANUP(struct db *, db_close);
/*
 * Once *stop is true (any thread may set it), what runs on this connection ends with -ECANCELED, soon. NULL: never. It must
 * outlive its use.
 */
void db_set_stop(struct db *d, const atomic_bool *stop);
/* The text of the last thing that failed, for logs; valid until the next that fails. */
const char *db_error(const struct db *d);
/* SQLite's result code of it, extended: its family is the lowest octet (sqlite.org/rescode.html). */
int db_code(const struct db *d);

int db_exec(struct db *d, const char *sql);
int db_begin(struct db *d); /* IMMEDIATE */
/* When it fails the transaction may still be open: roll back. */
int db_commit(struct db *d);
/* Harmless outside a transaction. */
void db_rollback(struct db *d);
/* Attaches a file that exists (else -ENOENT), in WAL and synchronous=FULL too. Not within a
 * transaction. */
int db_attach(struct db *d, const char *path, const char *name);
int db_detach(struct db *d, const char *name);
int64_t db_last_id(const struct db *d);
/* Rows that the last INSERT, UPDATE or DELETE touched. */
int db_changes(const struct db *d);

/* What is read from here on, until the connection is closed, is the file as it is now; writers are not held up. */
int db_snapshot(struct db *d);
/* A copy of the main database as the connection sees it, for another place: the file must not exist. -ECANCELED once *stop (may be NULL) is true. */
int db_copy(struct db *d, const char *path, const atomic_bool *stop);
/* 0: every page and index is as it should be; -EUCLEAN. */
int db_integrity(struct db *d);

int stmt_prepare(struct stmt **ret, struct db *d, const char *sql);
struct stmt *stmt_free(struct stmt *s);
DEFINE_CLEANUP(struct stmt *, stmt_free);
/*
 * Parameters count from 1, columns from 0. Texts are not copied: they must live until the reset.
 * What goes wrong in a bind is said by the next step.
 */
void stmt_bind_int(struct stmt *s, int i, int64_t v);
void stmt_bind_text(struct stmt *s, int i, struct str v); /* p NULL = NULL */
void stmt_bind_null(struct stmt *s, int i);
/* 1 a row, 0 done, negative errno. stmt_run: step to the end and reset: 0 or negative errno. */
int stmt_step(struct stmt *s);
int stmt_run(struct stmt *s);
/* Ready to be run again; parameters keep their values. */
void stmt_reset(struct stmt *s);
int64_t stmt_int(struct stmt *s, int column);
struct str stmt_text(struct stmt *s, int column); /* valid until the next step; p NULL for NULL */
bool stmt_is_null(struct stmt *s, int column);
