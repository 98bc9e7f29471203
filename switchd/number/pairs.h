/*
 * pairs: numbers that stand for others, whole numbers: a number and what it becomes. Immutable once sorted; any thread may read.
 */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"
#include "base/str.h"

struct pairs;

int pairs_create(struct pairs **ret);
struct pairs *pairs_free(struct pairs *p);
DEFINE_CLEANUP(struct pairs *, pairs_free);

/* Copies both. 0 or -ENOMEM. Of two with the same number one counts; whoever enters them sees to it that there are none. */
int pairs_add(struct pairs *p, struct str number, struct str becomes);
/* After the last one was added, before the first is looked for. */
void pairs_sort(struct pairs *p);

/* Empty: it becomes nothing else. p NULL: there are none. */
struct str pairs_find(const struct pairs *p, struct str number);
/* As transform_reach (number/transform.h): so many characters of the number decide whether it is one of these. */
size_t pairs_reach(const struct pairs *p, struct str number, size_t n);
