/*
 * report: the reports that there are (reports.tsv) and their columns (report_columns.tsv). SQL, switchctl, pages and the reference
 * come from these; gen.py makes an operation report.NAME of each.
 */
#pragma once

#include "base/str.h"
#include "model/op.h"
#include "model/param.h"

#include "reports.gen.h" /* enum report_id { REPORT_REVENUE, ... REPORT_COUNT } */

enum report_type {
	REPORT_T_KEY,
	REPORT_T_INT,
	REPORT_T_MONEY,
	REPORT_T_PERCENT, /* two decimals */
	REPORT_T_MINUTES, /* of seconds; two decimals */
	REPORT_T_SECONDS, /* of milliseconds; whole */
};

enum report_from {
	REPORT_FROM_SALE,
	REPORT_FROM_PURCHASE,
	REPORT_FROM_ENDING,
	REPORT_FROM_SHARE,
	REPORT_FROM_BOOKS
};

struct report_column {
	const char *name;
	enum report_type type;
	/* Sums (of rollup.h, or of the books) added and subtracted, one such line over another: "fee+tax-cost/fee+tax". "" of a key. */
	const char *formula;
	const char *title, *help;
};

struct report_info {
	const char *name;
	enum report_from from;
	const struct report_column *column; /* keys first */
	int columns;
	enum param parameter; /* made nightly if it is on; PARAM_COUNT: not */
	const char *help;
};

extern const struct report_info report_infos[REPORT_COUNT];

/* REPORT_COUNT if it is none. */
enum report_id report_find(struct str name);
enum report_id report_of_op(enum op op);
