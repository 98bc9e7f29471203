/*
 * split: the calls of a customer divided by percent: "701:30,702:70" routes three calls of ten as if 701 stood before the number, the others
 * as if 702 did. What is left of 100 is routed by the number alone.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { SPLIT_MAX = 16, SPLIT_PREFIX = 8 };

struct split {
	int count;
	struct {
		char prefix[SPLIT_PREFIX + 1];
		uint8_t percent;
	} item[SPLIT_MAX];
};

/* 0, or -EINVAL with *err: no prefix, one named twice, no percent, more than 100 in all. */
int split_parse(struct str list, struct split *ret, struct err *err);
/* The place of the turn's item; -1: none. In 100 turns each item has as many as its percent says. */
int split_at(const struct split *s, uint64_t turn);
