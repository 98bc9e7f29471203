/*
 * cdr_query: CDRs wherever they are, the ledger's outbox or the month files, newest first.
 *
 * Both are read in the order of their ids and merged, so that a query for the last hundred touches
 * a hundred rows, however big the files are. Month files are opened one after the other, newest
 * first, and only those that the times asked for can lie in.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/str.h"
#include "model/entity.h"
#include "store/db.h"
#include "store/rows.h"

/* CDR_FILTER_INIT asks for everything but the hidden. Texts that are empty are not asked for. */
struct cdr_filter {
	ms_t from, to; /* start of the call: from <= start < to; FIELD_ABSENT = open */
	struct str account, callee, reason, call_id;
	int64_t after; /* only records older than this id; 0 = from the newest */
	int64_t limit; /* 0 = all */
	bool has_hidden;
};

#define CDR_FILTER_INIT ((struct cdr_filter){ .from = FIELD_ABSENT, .to = FIELD_ABSENT })

/*
 * ledger: a connection to ledger.db, not within a transaction; dir: where the month files are.
 * on_row gets struct cdr_row *. 0, what on_row returned, or negative errno.
 */
int cdr_query(struct db *ledger, const char *dir, const struct cdr_filter *f, rows_fn *on_row,
	      void *ctx);
/* One record, hidden or not; the caller frees it (row_free). -ENOENT. */
int cdr_find(struct db *ledger, const char *dir, int64_t id, struct cdr_row **ret);
