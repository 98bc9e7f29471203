/* mask: a message without its secrets: credentials, challenges and media keys become stars, octet by octet, so that every length stays. */
#pragma once

#include "base/buf.h"

void mask_put(struct buf *out, struct str raw);
