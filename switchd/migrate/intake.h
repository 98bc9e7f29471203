/*
 * intake: what a file of another system becomes here: rows of entities, each checked by its fields, and what is wrong with it or left out,
 * by table and line. Nothing is stored here.
 *
 * Accounts, groups, gateways and phones are kept as items; of rates and calls there may be millions, they are handed out one by one.
 * Belongs to one thread at a time.
 */
#pragma once

#include "base/htab.h"
#include "migrate/convert.h"
#include "migrate/finding.h"

enum { INTAKE_ITEMS_MAX = 500000 };

struct item {
	struct hnode node; /* by entity and id */
	int entity;
	void *row;
	char *id; /* what other tables call it; NULL: nothing */
	char *table;
	uint64_t line;
	money_t balance; /* of an account */
	char *port;
	bool is_out; /* left out, or wrong */
};

/* A call of the other system; texts are valid until the next. */
struct other_call {
	struct str id, account, callee, caller;
	ms_t start;
	int64_t seconds, billed_s, package_s;
	money_t fee, tax;
	int fee_decimals; /* as they were written */
	uint64_t line;
};

struct intake_ask {
	struct str file, table; /* loans */
	struct str map;
	struct convert convert;
	const atomic_bool *stop;
};

struct intake {
	struct intake_ask ask;
	struct mapping map;
	struct htab ids;
	struct item **item;
	size_t items, room;
	struct findings problems, notes, rounded;
	int64_t found[ENTITY_COUNT], left_out;
};

/* Reads all but rates and calls. 0; -EINVAL with *err: no file or map that could be read; -ENOMEM; -ECANCELED. intake_done in every case. */
int intake_read(struct intake *p, const struct intake_ask *ask, struct err *err);
void intake_done(struct intake *p);

typedef int intake_rate_fn(void *ctx, struct rate_row *row, const struct finding *where);
typedef int intake_call_fn(void *ctx, const struct other_call *call);
/* Each that makes sense; the row is freed after it. */
int intake_each_rate(struct intake *p, intake_rate_fn *fn, void *ctx, struct err *err);
int intake_each_call(struct intake *p, intake_call_fn *fn, void *ctx, struct err *err);

/* What an operation says of a row: as a problem of it. 0 or -ENOMEM. */
int intake_blame(struct intake *p, struct str table, uint64_t line, const struct err *err);

static inline void intake_done_cleanup(struct intake *p)
{
	intake_done(p);
}
