/*
 * mask: a message without its secrets: they become stars, octet by octet, so that every length stays. Secret are media keys and
 * what proves a password: the response of a digest, which anybody could try passwords against; of other schemes everything. Of a
 * digest only fields that are known to be harmless are left, and only where they are well formed.
 */
#pragma once

#include "base/buf.h"

void mask_put(struct buf *out, struct str raw);
