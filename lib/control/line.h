/*
 * line: the bytes of a stream cut into lines, for both ends of the control protocol.
 *
 * No byte is searched or moved more than once for each line it belongs to, so one long line and
 * many short ones both cost linear time.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"

struct lines {
	struct buf buf;
	size_t start;   /* of the first line not given out yet */
	size_t scanned; /* bytes of the buffer known to hold no newline from start on */
};

#define LINES_INIT ((struct lines){ 0 })

void lines_done(struct lines *l);
/*
 * Reads once. The bytes got, 0 at the end of the stream, or negative errno: -EAGAIN, -EMSGSIZE
 * (the line under way is longer than RPC_LINE_MAX), -ENOMEM ... Slices given out before are void.
 */
ssize_t lines_read(struct lines *l, int fd);
/* The next whole line, without its newline; a loan until the next lines_read. */
bool lines_next(struct lines *l, struct str *ret);
/* Is there the beginning of a line? True also for a whole one that was not taken yet. */
bool lines_is_partial(const struct lines *l);
