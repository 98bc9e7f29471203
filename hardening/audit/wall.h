/* wall: what the kernel's packet filter does with a packet that no rule took. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

/* Of a chain of our table at a hook: does it drop by default? false if there is no such chain. */
typedef void wall_fn(void *ctx, struct str chain, bool does_drop);
/* Tells of every base chain of the table in family inet. 0 or negative errno: -EPERM if not root. */
int wall_each(struct str table, wall_fn *fn, void *ctx);
