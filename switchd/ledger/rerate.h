/*
 * rerate: what was booked when records were rated again. A record is never changed: the table rerating has, for each time, the facts
 * that were reversed (sign -1) and those that were booked instead (sign 1), and the entries of both stand in the ledger beside the first.
 * The facts in force are those of the last row with sign 1, else the record's own.
 *
 * Reading is for any thread, on a connection of its own to ledger.db.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/entity.h"
#include "store/db.h"

struct stmt;

/* One record: as it was in force, and as it is to be. Whole rows, owned by whoever makes the batch. */
struct rerate_item {
	struct cdr_row *before, *after;
	int64_t seen; /* the row of rerating that before is from, 0 = the record's own */
};

/* What is booked in one transaction: few enough that an answer which waits for the next one does not wait long. */
enum { RERATE_BATCH = 64 };
struct rerate_batch {
	int64_t run;
	int count;
	int booked; /* the ledger's answer: the others were rated by somebody else meanwhile */
	struct rerate_item item[RERATE_BATCH];
};

/* Facts in force, record by record. */
struct rerated {
	struct stmt *find; /* NULL: nothing was ever rated again */
};

/* 0 or negative errno. */
int rerated_open(struct rerated *r, struct db *ledger);
void rerated_close(struct rerated *r);
/*
 * Puts the facts in force into a row that is the caller's: prefix, version, terms, seconds, fee, tax, agents. *ret_seen: where they are
 * from, 0 = they were the record's own. 0 or negative errno.
 */
int rerated_apply(struct rerated *r, struct cdr_row *row, int64_t *ret_seen);
