/*
 * report: makes a report (lib/model/report.h) of a span from the sums in ledger.db (store/rollup.h) and the records that are still in the
 * outbox, in one reading, so that no call is counted twice or missed. Opens its own connections: any thread may.
 */
#pragma once

#include <jansson.h>
#include <stdatomic.h>

#include "model/report.h"
#include "report/span.h"
#include "store/db.h"

struct profit;

enum { REPORT_ROWS_MAX = 100000 };

/* Empty texts ask for nothing. */
struct report_filter {
	struct str account, agent, gateway, area;
	const struct profit *
		profit; /* what the columns profit and margin are; NULL: as the table of columns says */
};

/*
 * {report, help, from, to, zone, by, columns: [name], rows: [{column: value}], totals: [one for each currency], is_cut}. 0;
 * -EINVAL with *err; -ECANCELED once *stop (may be NULL) is true; other negative errno.
 */
int report_make(const char *data_dir, enum report_id id, const struct span *span,
		const struct report_filter *filter, const atomic_bool *stop, json_t **ret,
		struct err *err);
/* A database in memory with the books as "ledger" and the configuration as "switch", both only read. */
int report_open(struct db **ret, const char *data_dir, struct err *err);
