/* rollup_inner: what rollup.c and rollup_check.c share. Private to this folder. */
#pragma once

#include "store/rollup.h"

enum { ROLLUP_DAY = 86400000 / ROLLUP_MS };

int rollup_sums(enum rollup r);
const char *rollup_sum(enum rollup r, int i);
typedef int rollup_month_fn(void *ctx, struct db *d);
/* Each month file, oldest first, attached as "month". 0, what on_month returned, or negative errno. */
int rollup_each_month(struct db *d, const char *dir, rollup_month_fn *on_month, void *ctx);
/* From which slot on the sums can be made from the records that are kept; 0 = all of them. schema: where the sums are. */
int rollup_first_slot(struct db *d, const char *dir, const char *schema, int64_t *ret);
