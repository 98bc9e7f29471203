/*
 * verify: proves the books from the files alone, on connections of its own. Once *stop is true it ends with -ECANCELED. Of very
 * many differences the first VERIFY_NAMED are named; `found` counts all.
 */
#pragma once

#include <jansson.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/err.h"

enum { VERIFY_NAMED = 10000 };

/* Rebuilds every balance from payments and entries, and the entries from the CDRs that are still kept: {accounts, differences: [{account, balance,
 * computed, difference}]}. */
int ledger_verify(const char *data_dir, const atomic_bool *stop, json_t **ret, struct err *err);
/* Recomputes fee, tax and cost of every CDR from its stored terms: {checked, differences: [{id, field, stored, computed}]}. */
int cdr_verify(const char *data_dir, ms_t from, ms_t to, const atomic_bool *stop, json_t **ret,
	       struct err *err);
