/* cdr_detail: what `cdr show` says beyond the fields of a record: the vendors tried, and how each charge came about. */
#pragma once

#include <jansson.h>

#include "model/entity.h"
#include "store/db.h"

/*
 * Adds to the record's object: attempts [{try, gateway, sent, after_ms, result, code, reason}], price and expense {prefix, version,
 * hold_s, billed_s, steps [{from_s, seconds, price, unit_s}], setup_fee, tax_percent, fee, tax}, of an answered call; null if nothing was charged by
 * that side's terms. 0 or -ENOMEM.
 */
int cdr_detail_add(const struct cdr_row *r, json_t *object);
/* Adds "rerated": the facts that were booked instead of the record's own, oldest first (ledger/rerate.h). 0 or negative errno. */
int cdr_rerated_add(struct db *ledger, const struct cdr_row *r, json_t *object);
