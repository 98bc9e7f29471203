/* cell: what stands in one cell of a rate sheet. Each says NULL, or why not: a literal for the person whose sheet it is. */
#pragma once

#include "sheet/sheet.h"

const char *cell_prefix(struct str cell);
/* At most max. *ret_rounded: digits beyond the eighth decimal were rounded. */
const char *cell_amount(const struct sheet_format *f, struct str cell, money_t max, money_t *ret,
			bool *ret_rounded);
const char *cell_seconds(struct str cell, int32_t *ret);
/* "60/1" */
const char *cell_increments(struct str cell, int32_t *ret_first, int32_t *ret_step);
const char *cell_sections(struct str cell);
const char *cell_area(struct str *cell);
const char *cell_action(struct str cell, bool *ret_delete);
