/*
 * month: the files of closed CDRs, DIR/YYYY-MM.db, one for each month (UTC) in which calls began.
 *
 * The id of a CDR is the start of its call in milliseconds, shifted by CDR_ID_SHIFT: it names its
 * month, and the order of ids is the order of time.
 *
 * Closed CDRs wait in the ledger's outbox. The ledger thread moves them: month_next, month_move
 * (the month file has them then, on the disk), month_clear. A crash in between repeats the move,
 * which changes nothing; a reader may see a record twice and drops one (cdr_query.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "store/db.h"

enum { CDR_ID_SHIFT = 20 };

struct month {
	int year;
	int month; /* 1 to 12 */
};

/* The first id that a call starting then can have. Clamped, so that any moment may be asked for. */
int64_t cdr_id_at(ms_t wall_ms);
struct month month_of(int64_t cdr_id);
/* Its first moment, wall ms. */
ms_t month_start(struct month m);
/* Negative, 0, positive: a before, the same as, after b. */
int month_cmp(struct month a, struct month b);
void month_path(const char *dir, struct month m, struct buf *out);
/* The months that have a file, newest first; the caller frees. 0 (none, if dir is not there) or
 * negative errno. */
int month_list(const char *dir, struct month **ret, size_t *ret_count);
/* Removes the file and what belongs to it. 0 or negative errno. */
int month_remove(const char *dir, struct month m);

/*
 * The ids of the oldest records in the outbox, at most `room`, all of one month. Returns how many
 * (0: the outbox is empty) or negative errno.
 */
int month_next(struct db *ledger, int64_t *ids, int room, struct month *ret);
/* Copies these records, all of that month, to its file, which is made if need be. 0: they are
 * durable there. Not within a transaction. -EPROTO with *err: the file is a newer program's. */
int month_move(struct db *ledger, const char *dir, struct month m, const int64_t *ids, int count,
	       struct err *err);
/* Brings a month file that an older program made to the schema of this one. -ENOENT if there is none. */
int month_refresh(const char *dir, struct month m);
/* Takes these records, which month_next gave, out of the outbox and adds them to the sums of rollup.h, in a
 * transaction of its own. */
int month_clear(struct db *ledger, const int64_t *ids, int count);
