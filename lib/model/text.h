/*
 * text: what the switch answers, for people: aligned columns and `name: value` lines.
 *
 * Whatever came from a stranger may stand in a cell, so everything passes text_put: control
 * characters, invisible and reordering ones and bytes that are not UTF-8 become U+FFFD, and widths
 * are counted in columns of the screen.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "model/entity.h"

/* A cell of a table is cut to this many columns of the screen; one at the end of its line, which
 * pushes nothing aside, to more. */
enum { TEXT_CELL_MAX = 64, TEXT_LAST_MAX = 256 };

void text_put(struct buf *out, struct str s);
/* Columns of the screen that text_put(s) takes. */
size_t text_width(struct str s);
/* At most `width` columns; what was cut ends in an ellipsis. */
void text_put_cut(struct buf *out, struct str s, size_t width);
/* Exactly `width` columns, padded on the left if is_right. */
void text_put_cell(struct buf *out, struct str s, size_t width, bool is_right);
/*
 * A table of an array of objects under a line of column names. columns: NULL-terminated names, or
 * NULL for those of the first object. e: the entity of the objects, whose numbers then stand right;
 * or NULL. 0 or -ENOMEM.
 */
int text_table(const json_t *rows, const char *const *columns, const struct entity *e,
	       struct buf *out);
/* `name: value` lines, values aligned; objects and arrays of objects inside are indented. 0 or
 * -ENOMEM. */
int text_object(const json_t *object, struct buf *out);
/*
 * What an object says that the other one says otherwise or not at all: "line_limit=20 status=normal" in *out. other: NULL if there is
 * none; what is null or an empty list is then left out. The text is as hostile as the objects. Short of memory: the error of *out.
 */
void text_put_changes(const json_t *of, const json_t *other, struct buf *out);
/*
 * The decisions of a call's record, which are kept as a text of JSON, become rows in it: step, verdict, detail. A record without any, or
 * with what is none, stays as it is. 0 or -ENOMEM.
 */
int text_unfold_decisions(json_t *record);
/* A document as indented JSON with its line end. 0 or -ENOMEM. */
int text_json(const json_t *doc, struct buf *out);
/*
 * What a program says of a failure: its name, what went wrong with what was given, and below it what would
 * be accepted. error: a negative errno, for an *e that says nothing.
 */
void text_put_failure(struct buf *out, const char *program, const struct err *e, int error);
/* The same for a program that ends with it: to a stream, with its usage behind wrong words. Its exit status: 2 for those, else 1. */
int text_fail(const char *program, const char *usage, const struct err *e, int error, FILE *to);
/* ---- text_money.c ---- */
/* Is there an amount among the entity's fields? NULL: no. */
bool text_has_amounts(const struct entity *e);
/*
 * Amounts in a list's rows as SERVER_DISPLAY_MONEY_PRECISION has them: so many decimals, half up, and ~ before what is not the whole of it.
 * Prices stay exact. 0 or -ENOMEM.
 */
int text_round_amounts(json_t *rows, const struct entity *e, int decimals);
/* ---- text_report.c ---- */
/* What a report answers: columns, rows and totals; or a statement, which is sections of them. */
bool text_is_report(const json_t *doc);
/* As tables. 0 or -ENOMEM. */
int text_report(const json_t *doc, struct buf *out);
