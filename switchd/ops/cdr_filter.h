/*
 * cdr_filter: which records a request asks for, and what SERVER_QUERY_* let it ask. Read in the main thread; belongs to
 * whoever works on it afterwards.
 */
#pragma once

#include "ops/inner.h"
#include "store/cdr_query.h"

struct ask_cdrs {
	struct cdr_filter f;
	int64_t most; /* SERVER_QUERY_MAX_SIZE: of all pages together */
	struct buf account, caller, callee, mapping_gateway, routing_gateway, reason, call_id;
};

void ask_cdrs_done(struct ask_cdrs *a);
/*
 * from, to and what else the operation takes; limit and after are the caller's business. -EINVAL with *err; ask_cdrs_done must follow
 * in every case.
 */
int ask_cdrs_read(struct ask_cdrs *a, struct ops *o, const struct request *r, struct err *err);
/* The id of a record as lists show it: 16 hex digits. 0 or -EINVAL. */
int cdr_id_read(struct str text, int64_t *ret);
/*
 * Closes what is open about the times, once `after` is known: a query spans SERVER_QUERY_CDR_MAX_DAY_INTERVAL at most. -EINVAL with *err for
 * one that asks for more.
 */
int ask_cdrs_span(struct ask_cdrs *a, struct ops *o, struct err *err);
