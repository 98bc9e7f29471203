/*
 * sheet: a rate sheet as a CSV file has it: its lines read, checked and in order. Nothing of it is stored here.
 *
 * Headers are our own (design.md, issue 5), what other makers call them, or what a map says. Either every line makes sense or
 * the sheet is of no use: each that does not is named with line, column and reason.
 *
 * Belongs to one thread.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/money.h"
#include "base/zone.h"
#include "number/origins.h"

/* X(NAME, header); in the order in which they are written. */
#define SHEET_COLUMNS(X)                                          \
	X(PREFIX, "prefix")                                       \
	X(PRICE, "price")                                         \
	X(UNIT, "unit")                                           \
	X(FIRST, "first")                                         \
	X(STEP, "step")                                           \
	X(SETUP_FEE, "setup_fee")                                 \
	X(SECTIONS, "sections")                                   \
	X(TAX, "tax")                                             \
	X(AREA, "area")                                           \
	X(EFFECTIVE, "effective")                                 \
	X(END, "end")                                             \
	X(ACTION, "action")                                       \
	X(INCREMENTS, "increments") /* first/step in one: 60/1 */ \
	X(ORIGIN, "origin")         /* of a sheet by origin */

enum sheet_column {
#define SHEET_ENUM(name, header) SHEET_##name,
	SHEET_COLUMNS(SHEET_ENUM)
#undef SHEET_ENUM
		SHEET_COLUMN_COUNT
};

/* Those of our own header: all but the ones that only others or sheets by origin have. */
enum { SHEET_OWN = SHEET_INCREMENTS, SHEET_ROWS_MAX = 5000000, SHEET_PROBLEMS_MAX = 100 };

extern const char *const sheet_headers[SHEET_COLUMN_COUNT];

enum sheet_dates { SHEET_ISO, SHEET_DMY, SHEET_MDY };

/* How the file is to be understood. */
struct sheet_format {
	struct str columns; /* "Dialcode=prefix,Rate=price": headers that are not known anyway */
	bool is_comma;      /* decimals */
	enum sheet_dates dates;
	const struct zone *zone; /* of times that name none */
	ms_t now;                /* wall; what lies before is past */
	ms_t moment;     /* of lines that name none; FIELD_ABSENT: when it is put in place */
	bool takes_past; /* a past date means the sheet's moment */
	bool rounds;     /* more than eight decimals are rounded, not refused */
	const struct origin_list *origins; /* that there are; a loan, may be NULL */
	const atomic_bool *stop;           /* may be NULL */
};

/* Texts are not terminated: slices of the file, or of the sheet's own memory. */
struct sheet_row {
	const char *prefix, *sections, *area;
	ms_t effective, end; /* FIELD_ABSENT: the sheet's moment; open */
	money_t price, setup_fee, tax;
	int32_t unit, first, step;
	uint32_t line;
	uint16_t sections_n, area_n;
	uint16_t origin; /* place among the format's origins, from 1; 0: any caller */
	uint8_t prefix_n;
	uint8_t band_mode, status; /* never in a file: of the rate that is replaced */
	bool is_delete;
	bool is_new; /* set by sheet/delta: this line becomes a rate */
};

struct sheet_problem {
	uint32_t line;
	const char *column; /* its header as we call it, "" = the line; a literal */
	const char *reason; /* a literal */
	char given[48];
};

struct sheet_chunk;

struct sheet {
	struct sheet_row *row; /* by prefix, origin, then by the moment they take effect */
	const struct origin_list *origins; /* the format's */
	size_t rows;
	size_t lines; /* of the file behind its header, whether they became rows or not */
	unsigned has; /* bit of enum sheet_column: the file has it */
	struct sheet_problem problem[SHEET_PROBLEMS_MAX];
	size_t problems;                                  /* also those that found no room */
	struct sheet_problem rounded[SHEET_PROBLEMS_MAX]; /* given: the price as it stood there */
	size_t roundeds;
	struct buf ignored; /* headers that mean nothing to us, with commas */
	struct sheet_chunk *chunks;
};

/*
 * The file must outlive the sheet. 0, also with ->problems; -EINVAL with *err: no sheet at all (no header, no prefix or price);
 * -ENOMEM; -ECANCELED. sheet_done must follow in every case.
 */
int sheet_read(struct sheet *ret, const struct sheet_format *f, struct str file, struct err *err);
void sheet_done(struct sheet *s);

/* A date or time as the format has them. NULL with *ret, or why not (a literal). */
const char *sheet_moment(const struct sheet_format *f, struct str text, ms_t *ret);

/* Memory that goes with the sheet. NULL: short of it. */
char *sheet_keep(struct sheet *s, struct str text);

static inline struct str sheet_prefix(const struct sheet_row *r)
{
	return str_n(r->prefix, r->prefix_n);
}
static inline struct str sheet_sections(const struct sheet_row *r)
{
	return str_n(r->sections, r->sections_n);
}
static inline struct str sheet_area(const struct sheet_row *r)
{
	return str_n(r->area, r->area_n);
}
static inline struct str sheet_origin(const struct sheet *s, const struct sheet_row *r)
{
	return r->origin ? s->origins->group[r->origin - 1].name : STR("");
}
static inline bool sheet_has(const struct sheet *s, enum sheet_column c)
{
	return s->has >> c & 1;
}

static inline void sheet_done_cleanup(struct sheet *s)
{
	sheet_done(s);
}
