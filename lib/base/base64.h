/* base64: RFC 4648 §4, strict: no blanks, no line ends, no bits left over. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/* Without the padding at the end if !is_padded. */
void buf_put_base64(struct buf *b, struct str bytes, bool is_padded);
/* Appends the bytes of a whole text, padded or not. 0 or -EINVAL; then nothing is appended. */
int base64_decode(struct str text, struct buf *out);
