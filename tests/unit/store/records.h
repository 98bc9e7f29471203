/*
 * records: CDRs for tests, in a ledger's outbox.
 */
#pragma once

#include "base/clock.h"
#include "model/entity.h"
#include "store/db.h"

/* 2026-11-30T23:59:59.000Z, the last second of a month. */
#define RECORDS_NOVEMBER_END ((ms_t)1796083199000)

/* A CDR that began then; `n` (below 2^20) is part of its id, and its callee. */
struct cdr_row *record_make(ms_t start, int n);
/* The same, into the outbox. Returns its id. */
int64_t record_add(struct db *ledger, ms_t start, int n);
/* Puts a whole row there, and frees it. */
int64_t record_put(struct db *ledger, const char *table, struct cdr_row *r);
/* Moves everything from the outbox to month files in dir, at most `room` at a time. */
void records_move(struct db *ledger, const char *dir, int room);
