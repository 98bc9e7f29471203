/* doc: what a migration found and did, as the answer of an operation: facts, and tables of what is wrong, left out and different. */
#pragma once

#include <jansson.h>

#include "migrate/intake.h"
#include "migrate/shadow.h"

struct migrate_doc {
	const char *state; /* checked, refused, applied, compared */
	const struct intake *intake;
	const struct shadow *shadow; /* may be NULL */
	int64_t openings, booked;
	money_t opening_sum;
};

/* 0 or -ENOMEM. */
int migrate_doc(const struct migrate_doc *d, json_t **ret);
