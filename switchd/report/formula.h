/* formula: what a column of a report makes of sums (lib/model/report.h), in whole numbers, rounded once, half up. */
#pragma once

#include <jansson.h>

#include "model/report.h"

enum { FORMULA_SUMS = 16 };

/* What the sums are called, in their order; NULL-terminated. */
struct sums {
	const char *const *name;
	int64_t value[FORMULA_SUMS];
};

/* A new value for JSON: a number, or a decimal as a string; null where there is nothing to divide by. NULL if memory is short or a sum is too large. */
json_t *formula_json(const struct report_column *c, const struct sums *s);
