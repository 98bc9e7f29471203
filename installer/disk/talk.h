/*
 * talk: the person at the machine, on whichever of its lines: what is said goes to all of them, and whoever types is heard.
 *
 * A line that is not there (a serial port that the machine has not) is passed over.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/cleanup.h"

enum { TALK_LINES = 4 };

struct talk {
	int fd[TALK_LINES];
	size_t n;
};

/* Nobody to talk to yet. */
static inline struct talk talk_none(void)
{
	return (struct talk){ .n = 0 };
}
/* One more line: 0 or negative errno; -ENOSPC: there are enough. */
int talk_open(struct talk *t, const char *path);
/* With standard input and output in place of a line. */
void talk_use_stdio(struct talk *t);
void talk_done(struct talk *t);

__attribute__((format(printf, 2, 3))) void talk_say(struct talk *t, const char *fmt, ...);
/* Waits for a line from anybody: 0 with it, trimmed, in *ret; -EPIPE: nobody is left to say one; -EMSGSIZE: too long a one. */
int talk_ask(struct talk *t, struct buf *ret);
