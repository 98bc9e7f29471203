/*
 * store: a planned sheet put into switch.db, and taken out again. All within a transaction that the caller has begun and ends, so
 * that a sheet is there whole or not at all.
 *
 * What rated a call is never edited: a rate that was in force gets an end, one that is to come back after its end comes back as a
 * new version.
 */
#pragma once

#include "base/err.h"
#include "sheet/delta.h"

/*
 * The number of the next version of a rate: above all that were ever given to one, also by a sheet whose row is not there any more (what was
 * changed since is told by it). 0, or a negative errno of the store.
 */
int store_next_version(struct db *d, int64_t *ret);

/*
 * Before the transaction: what a connection needs that writes a million rates. What is written is read again soon, for the tariff and for the
 * next rates of the same pages; and that the group is there is asked once a sheet.
 */
int store_fast(struct db *d);

struct store_ask {
	struct delta_ask delta;
	struct str who;
	struct str sha256; /* of the file, hex */
	struct str columns, decimal, dates,
		zone; /* how the file was read: remembered in the group */
};

/* 0 with the sheet's number; negative errno with *err. */
int store_sheet(struct db *d, const struct sheet *s, const struct delta *p,
		const struct store_ask *ask, int64_t *ret_id, struct err *err);

struct store_undone {
	int64_t sheet;
	int64_t ended;    /* rates of the sheet that were in force, or would have come */
	int64_t restored; /* rates that go on, or are to come again */
	int64_t kept;     /* prefixes that were changed by hand since: they stay */
};

/*
 * sheet: 0 = the group's newest. -EINVAL with *err if there is none, or it is not the newest that stands. How many rates of it there are is
 * found by reading all of the group, which tells how fast that goes.
 */
int store_undo_begin(struct db *d, struct str group, int64_t sheet, int64_t *ret_rates,
		     struct err *err);
/* The same, and it is done. at: from when on the group is as it was before the sheet; it may lie ahead. */
int store_undo(struct db *d, struct str group, int64_t sheet, struct str who, ms_t at,
	       struct store_undone *ret, struct err *err);
