/*
 * migration: another system on its way into this one, and what of it becomes rows (migration.c); migrates.c has the steps and the
 * operations. Private to this folder.
 */
#pragma once

#include "migrate/shadow.h"
#include "ops/inner.h"
#include "ops/spool.h"

enum step { STEP_READ, STEP_ROWS, STEP_RATES, STEP_SETTLE, STEP_DONE };

struct migration {
	struct ops *ops; /* of the main thread */
	const char *data_dir;
	enum step step;
	struct spool spool;
	struct buf map, table, who;
	struct zone *zone;
	struct intake intake;
	struct shadow shadow;
	struct db *db; /* by turns the clerk's and the main thread's, never both */
	struct booking *desk;
	size_t next; /* item to be added */
	int kind;    /* index into order[] */
	int64_t version, limit, openings, booked;
	money_t opening_sum;
	ms_t now;
	uint64_t reserve; /* bytes of the disk that are not for this */
	bool is_dry, is_compare, is_full, holds_lock, has_desk, has_intake;
	const char *state;
};

/* Main thread: adds some of the items by the checks of their operations; what is refused is a problem. 1: there is more; 0 or negative errno. */
int migration_add_some(struct migration *m);
/* Main thread: how every group rounds, for parameters are its own. 0 or negative errno. */
int migration_read_groups(struct migration *m);
/* The clerk: rates; then those of the groups that came along compiled, so that the main thread has only to publish them. 0 or negative errno. */
int migration_add_rates(struct migration *m, struct err *err);
int migration_compile(struct migration *m, struct err *err);
