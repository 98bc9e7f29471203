/* lock: one set-up at a time, though there are two consoles. */
#pragma once

#include "place.h"

/* A descriptor that holds the lock until it is closed; -EBUSY: another set-up has it; other
 * negative errno. */
int lock_take(const struct place *p);
