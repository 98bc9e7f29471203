/*
 * profit: SERVER_BILLING_PROFIT_CALCULATE, an operator's words for what is left of a call: terms added and subtracted, as in
 * "call charge - sub - call expense".
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

enum { PROFIT_TERMS = 8 };

/* As formulas of report columns (lib/model/report.h). */
struct profit {
	char line[160];
	char margin[176]; /* of the charge */
};

/* 0; -EINVAL with *err. */
int profit_read(struct str text, struct profit *ret, struct err *err);
