/* profile: the billing parameters of a business model (the preset table of the project's features). */
#pragma once

#include "base/buf.h"

struct profile {
	const char *name;  /* as the answer `profile` has it */
	const char *title; /* for the screen */
	const char *fee_precision, *hold_precision_ms, *advance_min, *free_s;
};

/* NULL if there is none of that name. */
const struct profile *profile_find(struct str name);
/* The command lines that set it, a line each. */
void profile_put_commands(const struct profile *p, struct buf *out);
/* "fees to 4 decimals, ..." */
void profile_describe(const struct profile *p, struct buf *out);
