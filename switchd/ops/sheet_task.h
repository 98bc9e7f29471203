/*
 * sheet_task: a rate sheet on its way into its group: what was asked for, and what has become of it. sheet_ask.c reads the one, sheets.c
 * does the other. Private to this folder.
 */
#pragma once

#include "ops/inner.h"
#include "ops/spool.h"
#include "sheet/delta.h"

struct sheet_task {
	struct ops *ops; /* of the main thread */
	const char *data_dir;
	struct spool spool;
	struct buf group, columns, who;
	struct buf decimal, dates, zone_name; /* how the file is read, as the group keeps it */
	struct buf route_prefix;              /* SERVER_BILLING_GATEWAY_ROUTE_PREFIX */
	struct zone *zone;
	struct sheet_format format;
	struct origin_list origins;
	enum sheet_mode mode;
	ms_t moment; /* as asked for; FIELD_ABSENT */
	bool is_dry, is_undo, has_answer, holds_lock, is_written;
	int64_t limit;
	int64_t undo; /* the sheet to take back, 0 = the newest */
	struct sheet sheet;
	uint64_t reserve; /* bytes of the disk that are not for sheets */
	ms_t read_ms;     /* what reading it took */
	ms_t takes;       /* how long it is thought to take until it is in place */
	ms_t in_force;    /* from when on it is */
	bool is_soon;     /* ... which is as soon as it can be */
	int tries;        /* that took longer */
	struct tariff_rules rules;
	struct tariff *tariff;
};

/* ---- sheet_ask.c ---- */
/* How the file is read, to which group, from when on: what is not given is as the group remembers. 0 or negative errno with *err. */
int sheet_task_read(struct ops *o, struct sheet_task *t, const struct request *r, struct err *err);
