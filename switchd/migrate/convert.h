/* convert: a cell of another system as the text that a field here is set from. */
#pragma once

#include "base/buf.h"
#include "base/zone.h"
#include "migrate/mapping.h"
#include "migrate/source.h"

struct convert {
	const struct zone *zone; /* of dates that name none */
	bool rounds;             /* what has more than eight decimals is rounded, not refused */
};

/*
 * Empties *out and fills it; what the line says `else` of a cell that is empty. NULL, or why not: a literal. *ret_rounded: it was rounded.
 */
const char *convert_cell(const struct convert *c, const struct mapping_line *l,
			 const struct source_cell *cell, struct buf *out, bool *ret_rounded);
/* A decimal as databases write theirs: also with an exponent, and with more digits than there are. */
const char *convert_money(struct str text, bool rounds, money_t *ret, bool *ret_rounded);
/* Is it one of the words, with or without a meaning? (0,2=x) */
bool convert_is_word(struct str words, struct str text);
