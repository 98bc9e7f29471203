/*
 * cdr_query: CDRs wherever they are, the ledger's outbox or the month files, newest first.
 *
 * Both are read in the order of their ids and merged, so that a query for the last hundred touches
 * a hundred rows, however big the files are. Month files are opened one after the other, newest
 * first, and only those that the times asked for can lie in.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/str.h"
#include "model/entity.h"
#include "store/db.h"
#include "store/rows.h"

enum cdr_answered { CDR_ANSWERED_OR_NOT, CDR_ANSWERED, CDR_UNANSWERED };

/* CDR_FILTER_INIT asks for everything but the hidden. Texts that are empty are not asked for. */
struct cdr_filter {
	ms_t from, to; /* start of the call: from <= start < to; FIELD_ABSENT = open */
	struct str account, reason, call_id, mapping_gateway, routing_gateway;
	struct str caller, callee; /* "880*": all that begin so */
	int64_t sip_code;          /* FIELD_ABSENT = any, as in */
	int64_t min_ms, below_ms;  /* min_ms <= hold_ms < below_ms */
	enum cdr_answered answered;
	int64_t after; /* only records older than this id; 0 = from the newest */
	int64_t limit; /* 0 = all */
	bool has_hidden;
	const atomic_bool *stop; /* once it is true the query ends with -ECANCELED; NULL = never */
};

#define CDR_FILTER_INIT                                 \
	((struct cdr_filter){ .from = FIELD_ABSENT,     \
			      .to = FIELD_ABSENT,       \
			      .sip_code = FIELD_ABSENT, \
			      .min_ms = FIELD_ABSENT,   \
			      .below_ms = FIELD_ABSENT })

/*
 * ledger: a connection to ledger.db, not within a transaction; dir: where the month files are.
 * on_row gets struct cdr_row *. 0, what on_row returned, or negative errno.
 */
int cdr_query(struct db *ledger, const char *dir, const struct cdr_filter *f, rows_fn *on_row,
	      void *ctx);
/* One record, hidden or not; the caller frees it (row_free). -ENOENT. */
int cdr_find(struct db *ledger, const char *dir, int64_t id, struct cdr_row **ret);
/*
 * Those of the n records that are there, hidden or not, in no order: what has just been booked, so mostly of the outbox. on_row
 * as above.
 */
int cdr_fetch(struct db *ledger, const char *dir, const int64_t *ids, int n, rows_fn *on_row,
	      void *ctx);
