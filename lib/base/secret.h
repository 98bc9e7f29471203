/* secret: comparing and wiping what must not leak. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* Takes the same time wherever the first difference is; lengths are not secret. */
bool secret_eq(struct str a, struct str b);
/* Wipes in a way the compiler keeps. */
void secret_wipe(void *p, size_t n);
