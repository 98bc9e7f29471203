/*
 * tariff: a rate group compiled for calls: number and moment → the rate in force.
 *
 * The longest prefix that has a rate in force at that moment wins; a shorter code never does. Of
 * several versions of a prefix in force at once it is the one that took effect last: that is how a
 * scheduled price takes over from an open one. A prefix may have rates of its own for callers of an
 * origin group (number/origins.h): such a one goes before that for any caller, of the same prefix.
 *
 * Immutable; any thread may read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "model/entity.h"
#include "number/origins.h"
#include "rating/terms.h"

struct tariff;

/*
 * Rounding and increments that the group sets. Where the group leaves one absent, the caller has
 * put the global parameter's value before.
 */
struct tariff_rules {
	int64_t fee_precision;
	money_t fee_unit;
	int64_t hold_time_precision_ms;
	int64_t free_time_s;
	money_t tax_unit; /* 0: a tax is rounded as the fee is */
};

struct rate {
	ms_t effective, end; /* wall; end INT64_MAX = open */
	int64_t version;
	money_t price, setup_fee, tax_percent;
	int32_t unit_s, first_s, step_s;
	int32_t sections; /* index into the tariff's pool of sections, -1 = none */
	uint8_t section_count;
	uint8_t prefix_len;
	bool is_locked;
	bool is_split;   /* by peak and off-peak (bands.h) */
	bool has_older;  /* the next rate in memory is an older one of the same prefix and origin */
	bool has_other;  /* ... is of the same prefix and another origin */
	uint16_t origin; /* group of its callers, from 1 (tariff_origin); 0 = any */
};

/*
 * rows: rate rows of one group in any order (loans). origins: the origin groups that there are (a loan; NULL: none); a row of another
 * one is left out. -EINVAL with *err for a row that makes no sense; -ENOMEM.
 */
int tariff_create(struct tariff **ret, struct rate_row *const *rows, size_t n,
		  const struct tariff_rules *rules, const struct origin_list *origins,
		  struct err *err);

/*
 * The same of rows that come one after the other, best in the order of prefixes and of time. What goes wrong
 * is said as above; after that, and in the end, tariff_builder_free.
 */
struct tariff_builder;
int tariff_begin(struct tariff_builder **ret, const struct tariff_rules *rules,
		 const struct origin_list *origins, struct err *err);
int tariff_add(struct tariff_builder *b, const struct rate_row *row, struct err *err);
/* The builder is of no further use. */
int tariff_end(struct tariff_builder *b, struct tariff **ret, struct err *err);
struct tariff_builder *tariff_builder_free(struct tariff_builder *b);
DEFINE_CLEANUP(struct tariff_builder *, tariff_builder_free);

struct tariff *tariff_free(struct tariff *t);
DEFINE_CLEANUP(struct tariff *, tariff_free);

/* caller: as it is billed, empty for none. NULL if no rate is in force. */
const struct rate *tariff_find(const struct tariff *t, struct str number, struct str caller,
			       ms_t at);
/* For which numbers and moments an answer holds, for callers of the same origin groups: those that begin like the number, from `from` until before `until`. */
struct tariff_span {
	size_t reach; /* in so many characters; one more than it has: for the very number alone */
	ms_t from, until;
};
#define TARIFF_SPAN_ALL ((struct tariff_span){ 0, INT64_MIN, INT64_MAX })
/* The same; *span becomes as narrow as its answer is, if it was not already. */
const struct rate *tariff_find_span(const struct tariff *t, struct str number, struct str caller,
				    ms_t at, struct tariff_span *span);
/* The whole terms of a call by that rate. */
void tariff_terms(const struct tariff *t, const struct rate *r, struct terms *ret);
/* The name of a rate's origin group; NULL: any caller. */
const char *tariff_origin(const struct tariff *t, const struct rate *r);
/* Is there a rate for callers of that group, or one of a group that there was not when this was made? */
bool tariff_may_have_origin(const struct tariff *t, const char *name);
size_t tariff_count(const struct tariff *t);
size_t tariff_bytes(const struct tariff *t);
