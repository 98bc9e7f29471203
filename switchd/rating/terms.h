/*
 * terms: everything a charge is made of besides the duration (spec/rating.md), and its one-line
 * text form, which a CDR keeps so that the charge can be replayed.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/money.h"
#include "base/str.h"

enum { TERMS_SECTIONS = 16 };

struct section {
	int64_t start_s; /* from this billed second on */
	money_t price;   /* this price per unit_s */
};

struct terms {
	money_t price; /* per unit_s seconds */
	int64_t unit_s;
	int64_t first_s;
	int64_t step_s;
	money_t setup_fee;
	money_t tax_percent; /* % in units of 1e-8 */
	int section_count;
	struct section section[TERMS_SECTIONS]; /* ascending start_s */
	int64_t fee_precision;                  /* decimal places, 0 = unset */
	money_t fee_unit;                       /* 0 = unset */
	int64_t hold_time_precision_ms;         /* 1..1000 */
	int64_t free_time_s;
	/* 1: sections begin at seconds of the talk, those that are not charged included (bands.h) */
	int64_t is_of_talk;
	money_t tax_unit; /* what a tax is a multiple of; 0 = as the fee */
};

#define TERMS_DEFAULT \
	((struct terms){ .unit_s = 60, .first_s = 1, .step_s = 1, .hold_time_precision_ms = 50 })

/*
 * "price=0.0123 unit=60 first=1 step=1 setup=0 sections=60:0.01,120:0.005 tax=0 precision=4
 * fee_unit=0 hold=50 free=0", in one line; no sections are "sections=-". Behind it "talk=1" and
 * "tax_unit=0.01", where that is so.
 */
void terms_put(const struct terms *t, struct buf *out);
/* The same text back: each part once, in any order, none left out. 0 or -EINVAL. */
int terms_parse(struct str text, struct terms *ret);
/*
 * "start:price,start:price" ("-" or empty = none; ';' for ',' too) into section[] and its count.
 * -EINVAL: not such a list, not ascending, too many; *t is untouched then.
 */
int terms_parse_sections(struct str text, struct terms *t);
/* 0, or -EINVAL if a value is outside what is supported (so that charge cannot go wrong). */
int terms_check(const struct terms *t);
/* The first field that terms_check refuses, as entities.tsv calls it; NULL if all are fine. */
const char *terms_fault(const struct terms *t);
