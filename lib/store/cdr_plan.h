/*
 * cdr_plan: how the records that a filter asks for are found in one table: its tests, the index that leads, the SQL.
 *
 * Ids grow with time and every index has the id behind its column, so records that are equal in one column come newest first
 * without sorting. SQLite knows no statistics of a file that grows by the second; so each index that could lead is asked how
 * many records it would give, up to a bound, and the one with the fewest leads. A prefix of a number is many values: it leads
 * only if they are few enough to be sorted at once, else the walk by time finds them soon.
 */
#pragma once

#include "base/buf.h"
#include "store/cdr_query.h"
#include "store/db.h"

enum { PLAN_TESTS = 12 };

enum plan_match {
	MATCH_EQUAL,
	MATCH_NUMBER,
	MATCH_PREFIX,
	MATCH_LEAST,
	MATCH_BELOW,
	MATCH_NULL,
	MATCH_SET
};

struct plan_test {
	const char *column;
	enum plan_match match;
	bool has_index;
	struct str text;   /* of EQUAL; of PREFIX what it begins with, and */
	struct buf beyond; /* ... what no longer does */
	int64_t number;
};

struct cdr_plan {
	const struct cdr_filter *filter;
	int64_t low, high; /* low <= id < high */
	struct plan_test test[PLAN_TESTS];
	int tests;
	int leader; /* of test[]; -1: the ids themselves */
};

/* The filter must outlive the plan. 0 or -ENOMEM. */
int plan_init(struct cdr_plan *p, const struct cdr_filter *f, int64_t low, int64_t high);
void plan_done(struct cdr_plan *p);
/* Chooses what leads in this table. 0 or db's errors. */
int plan_choose(struct cdr_plan *p, struct db *d, const char *table);
/* "FROM table WHERE ... ORDER BY id DESC"; and its parameters, which stay with the plan. */
void plan_put_sql(const struct cdr_plan *p, const char *table, struct buf *sql);
void plan_bind(const struct cdr_plan *p, struct stmt *s);
