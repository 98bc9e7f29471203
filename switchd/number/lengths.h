/*
 * lengths: how long a number may be, as a gateway has it: "8,10-13". A bit for each length, so looking is one shift.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { LENGTH_MOST = 40 };

/*
 * Comma separated lengths and ranges of them, 0 (no number) to LENGTH_MOST. Bit n of *ret: n digits are allowed; an empty list: 0.
 * -EINVAL with *err, the field given.
 */
int lengths_parse(struct str list, const char *field, uint64_t *ret, struct err *err);

/* Of what lengths_parse made: 0 allows all. */
bool lengths_allow(uint64_t lengths, size_t n);
