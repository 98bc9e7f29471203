/*
 * numlist: a set of numbers, whole matches only. Immutable; any thread may read.
 */
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/str.h"

struct numlist;

/* text: comma separated numbers (not kept); none is an empty list. 0 or -ENOMEM. */
int numlist_create(struct numlist **ret, struct str text);
struct numlist *numlist_free(struct numlist *l);
DEFINE_CLEANUP(struct numlist *, numlist_free);
size_t numlist_count(const struct numlist *l);
/* The n-th in order; n is below the count. */
struct str numlist_at(const struct numlist *l, size_t n);
bool numlist_has(const struct numlist *l, struct str number);
