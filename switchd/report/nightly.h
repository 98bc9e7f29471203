/*
 * nightly: the reports that the nights leave behind: DATA/reports/YYYY-MM-DD/NAME.csv and .html, of the machine's days, made at 01:00.
 */
#pragma once

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "model/report.h"
#include "report/profit.h"
#include "report/span.h"

struct nightly {
	bool is_on[PARAM_COUNT];
	struct profit profit;
};

/*
 * Makes those whose parameter is on, of a day (empty: yesterday); what was made before of that day is replaced. *ret: {day, files: [name]}.
 * 0; -EINVAL with *err; other negative errno.
 */
int nightly_make(const char *data_dir, struct str day, const struct nightly *what, ms_t now,
		 const atomic_bool *stop, json_t **ret, struct err *err);
/* When the next are due: now, if it is past 01:00 and those of yesterday are not there. */
ms_t nightly_due(const char *data_dir, ms_t now);
/* [{key, day, name, bytes}], newest day first. NULL if memory is short. */
json_t *nightly_list(const char *data_dir, size_t limit);
/* Removes those of the nights before that day (YYYY-MM-DD). How many nights, or negative errno. */
int nightly_clear(const char *data_dir, const char *first_day, const atomic_bool *stop);
/* One of them by its key. -ENOENT, other negative errno. */
int nightly_read(const char *data_dir, struct str key, struct buf *out);
