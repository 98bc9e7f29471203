/*
 * nearest: which of the names that exist was probably meant?
 *
 *	struct nearest n = nearest_to(given);
 *	for each name: nearest_try(&n, name);
 *	n.best is NULL if none is near.
 */
#pragma once

#include "base/str.h"

struct nearest {
	struct str given;
	const char *best;
	unsigned distance; /* of best: letters to change, insert, drop or swap */
};

struct nearest nearest_to(struct str given);
/* name is a loan for as long as the best is used. */
void nearest_try(struct nearest *n, const char *name);
