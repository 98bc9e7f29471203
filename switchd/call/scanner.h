/* scanner: programs that call numbers and guess passwords for a living, by the name they give. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

/* The User-Agent of a raw message, if it is that of a known scanner. */
bool scanner_find(struct str raw, struct str *ret_agent);
