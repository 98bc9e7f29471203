/*
 * verify: proves the books from the files alone, on connections of its own.
 */
#pragma once

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"

/* Rebuilds every balance from payments and entries, and the entries from the CDRs that are still kept: {accounts, differences: [{account, balance,
 * computed, difference}]}. */
int ledger_verify(const char *data_dir, json_t **ret, struct err *err);
/* Recomputes fee, tax and cost of every CDR from its stored terms: {checked, differences: [{id, field, stored, computed}]}. */
int cdr_verify(const char *data_dir, ms_t from, ms_t to, json_t **ret, struct err *err);
