/*
 * program: runs another program without a shell: an array of arguments, an environment of our own,
 * a time limit, and what it printed, bounded.
 */
#pragma once

#include "base/buf.h"
#include "base/clock.h"

enum { PROGRAM_OUTPUT_MAX = 64 * 1024 };

/*
 * Its exit status, 128 + n if a signal ended it; -ETIMEDOUT: it was killed after `limit`; -ENOENT
 * and others if it cannot be run. argv[0] is a path. What it wrote to stdout and stderr is appended.
 */
int program_run(const char *const *argv, ms_t limit, struct buf *output);
