/*
 * backup: everything that the switch knows in one file, taken while it runs: DATA/backup/YYYYMMDDTHHMMSSZ.tar.gz with switch.db, ledger.db,
 * cdr/YYYY-MM.db, the licence, and MANIFEST.json with the SHA-256 of each.
 *
 * All files are seen at one moment, in which no record moves between them (hold), so that the books of a backup are right by
 * themselves. What is copied is copied by SQLite from those snapshots, which holds no writer up.
 */
#pragma once

#include <jansson.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/err.h"

struct backup_hold {
	void (*hold)(void *ctx);
	void (*release)(void *ctx);
	void *ctx;
};

/* *ret: {name, bytes, files}. What could not be finished is removed. 0; -EINVAL with *err. */
int backup_make(const char *data_dir, ms_t now, const struct backup_hold *hold,
		const atomic_bool *stop, json_t **ret, struct err *err);
/* [{name, at, bytes}], newest first. NULL if memory is short. */
json_t *backup_list(const char *data_dir);
/* When the newest was made, wall ms; 0: there is none. */
ms_t backup_newest(const char *data_dir);
/* Keeps the newest `keep` and removes the others. How many were removed. */
int backup_prune(const char *data_dir, int keep);
/* Is it the name of a backup? For names from outside. */
bool backup_is_name(struct str name);
