/*
 * finding: what is wrong with a file of another system, or to know of it, by table, line and column. As many are kept as somebody would
 * read; the others are counted.
 */
#pragma once

#include <stdint.h>

#include "base/str.h"

enum { FINDINGS_MAX = 1000 };

/* Something that is wrong, or to know. */
struct finding {
	char table[64], column[64], given[64], reason[256];
	uint64_t line; /* of the file; 0: of no row */
};

struct findings {
	struct finding *list;
	size_t count; /* also those that found no room */
};

/* Without what was given and why. What is too long is cut, what a terminal would act on replaced. */
struct finding finding_at(struct str table, uint64_t line, struct str column);
/* 0 or -ENOMEM; undone by findings_done. */
int finding_add(struct findings *f, struct finding x, struct str given, const char *reason);
void findings_done(struct findings *f);
