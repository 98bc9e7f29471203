/*
 * csv: RFC 4180 rows, read from memory one at a time, and cells written so that no spreadsheet runs
 * them (security.md D4).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum { CSV_CELLS = 256 };

struct csv {
	struct str rest;
	char sep;
	uint32_t line; /* of the row just read, from 1 */
	struct str cell[CSV_CELLS];
	uint32_t cells;
	struct buf scratch;    /* cells that had doubled quotes */
	const char *error;     /* what is wrong with the row, when csv_next said -EBADMSG */
	uint32_t error_column; /* the cell at fault, from 1 */
	uint32_t next_line;    /* private */
};

void csv_init(struct csv *c, struct str text, char sep);
void csv_done(struct csv *c);
/* What parts the cells of the first line, most likely: one of , ; TAB | */
char csv_guess(struct str text);
/*
 * 1: a row is in cell[0..cells), valid until the next call; 0: the end; -ENOMEM; -EBADMSG: see
 * error (unclosed quote, text behind a quote, NUL, too many cells), and the next call goes on with
 * the next line; behind an unclosed quote there is none. Empty lines are skipped, and a UTF-8 BOM
 * at the start.
 */
int csv_next(struct csv *c);
/*
 * One cell, quoted where needed; the separator and the line end are the caller's. Text that a
 * spreadsheet would run (it begins with = + - @ TAB CR LF, their full-width forms or a BOM, and is
 * no number) gets a ' in front. A NUL is left out.
 */
void csv_put(struct buf *b, struct str cell, char sep);
