/* sheet_doc: what `rate import` answers, as a report has it (model/text.h): facts, changes, problems. */
#pragma once

#include <jansson.h>

#include "sheet/effect.h"

struct sheet_doc {
	const char *state; /* checked, applied, refused */
	struct str group;
	enum sheet_mode mode;
	ms_t moment;
	int64_t sheet; /* its number, 0 = none */
	int64_t limit; /* rows of changes */
	const struct sheet *read;
	const struct delta *delta;   /* NULL: there is none */
	const struct effect *effect; /* NULL: nobody asked for it */
};

/* 0 or -ENOMEM. */
int sheet_doc(const struct sheet_doc *d, json_t **ret);
