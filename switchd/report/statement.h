/* statement: the bill of one account for a span: what it had, paid, was charged for and has, and by which rules that was rounded. */
#pragma once

#include "report/report.h"

/* {title, report, from, to, zone, facts, sections: [balance, payments, calls], notes}. -EINVAL with *err: no such account. */
int statement_make(const char *data_dir, struct str account, const struct span *span,
		   const atomic_bool *stop, json_t **ret, struct err *err);
