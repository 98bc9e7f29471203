/*
 * migrate: brings a database file to the schema of this program, at start, forward only.
 *
 * PRAGMA user_version is the number of the schema. Two ways lead from an older file to this
 * program:
 *
 * - What is added needs no step: a row in entities.tsv, a column, table or index in migrate.c is
 *   compared with the file (store/schema.h) and added there. So a field that is added later must
 *   have a default or be optional.
 * - What is renamed, dropped, tightened or moved needs one: a numbered step at the end of the
 *   file's list, which sees the tables as older programs left them. Steps are never changed once
 *   released.
 *
 * A new file is made as declared and starts at the newest number. A file with a higher number was
 * written by a newer program, and so was one with columns that nobody declared. It is refused, unless
 * this program survives what was done to it: the four bytes of PRAGMA application_id are MIGRATE_MARK,
 * the number that they speak of, and the lowest number of a program that works with the file all the
 * same, by the newer one's word (`survived` in migrate.c). Then an update that failed can be gone back
 * from without losing what was booked since.
 */
#pragma once

#include "base/err.h"
#include "store/db.h"

enum { MIGRATE_MARK = 0x5441 }; /* "TA" */

/*
 * steps[i] takes the schema from version i to i + 1; one transaction each. 0; -EPROTO with *err if
 * the file's version is above `count` and its mark does not allow for that; db's errors with *err, the step then undone.
 */
int migrate(struct db *d, const char *const *steps, int count, struct err *err);

/* The files of --data: switch.db, ledger.db and cdr/YYYY-MM.db, new or old. */
int migrate_switch(struct db *d, struct err *err);
int migrate_ledger(struct db *d, struct err *err);
int migrate_month(struct db *d, struct err *err);
