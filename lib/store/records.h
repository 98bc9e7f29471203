/*
 * records: call records, for a reader with a connection of its own: ledger.db, where they are booked, and the folder of the month
 * files, where they go (store/cdr_query.h asks both). Any thread.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "store/db.h"

struct records {
	struct db *ledger;
	struct buf dir;
};

/* 0 or negative errno; closed by records_close, either way. A locked file is waited for, a second at the most. */
int records_open(struct records *r, const char *data_dir);
void records_close(struct records *r);
static inline void records_close_cleanup(struct records *r)
{
	records_close(r);
}
/* ledger.db alone; closed by db_close. */
int records_open_ledger(struct db **ret, const char *data_dir);
/* "WHAT cannot be read: ...": fills *err; returns what err_set does. */
int records_unreadable(const char *what, int error, struct err *err);
