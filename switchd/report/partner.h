/*
 * partner: somebody else's list of calls, a CSV file: which of its columns is what, and its rows in our terms.
 *
 * Whatever is in the file is looked at: a row that makes no sense is counted and named by its line, and nothing is guessed.
 */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/money.h"
#include "base/str.h"
#include "base/zone.h"

/* More calls than this are asked for in parts. */
enum { PARTNER_CALLS_MAX = 1000000 };

struct partner_call {
	uint64_t number; /* hash of the digits of the called number */
	struct str digits;
	ms_t start; /* of the call or of its answer: what the column says */
	int64_t seconds;
	money_t amount;
	uint32_t line;
	bool has_amount, is_matched;
};

struct partner {
	struct buf text; /* digits of all numbers */
	struct partner_call *call;
	size_t calls;
	ms_t first, last; /* the earliest and the latest start */
	uint32_t bad;     /* rows that could not be read */
	struct err first_bad;
	bool has_amounts;
};

/*
 * map: "number:Called,start:Start Time,seconds:Duration,amount:Fee"; what it does not name is looked for under the usual names. sep: 0 = that of
 * the first line. tail: only so many last digits of a number count; 0 = all. 0; -EINVAL with *err; -ENOMEM. partner_done in every case.
 */
int partner_read(struct partner *ret, struct str file, struct str map, const struct zone *zone,
		 size_t tail, struct err *err);
void partner_done(struct partner *p);
/* The digits of a number as they are compared: without +, leading 00 and all that is no digit; the last `tail`. Appended to *out. */
void partner_digits(struct str number, size_t tail, struct buf *out);
uint64_t partner_hash(struct str digits);
