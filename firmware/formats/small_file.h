/*
 * small_file: a whole small file in memory, as /proc, /sys and /etc hold them.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"

/*
 * Appends the file's bytes to *to. 0; -EFBIG when there are more than max; negative errno; the bytes
 * of a file that failed half way stay in *to.
 */
int small_file_read(const char *path, size_t max, struct buf *to);
