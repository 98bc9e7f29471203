/*
 * command: what an administrator asked for behind `ssh admin@host`, cut into words without a shell.
 *
 * Only switchctl may be named. Nothing is expanded: a dollar, a star, a semicolon are what they look
 * like, so there is nothing to escape into.
 */
#pragma once

#include <stddef.h>

#include "base/str.h"

enum { COMMAND_WORDS = 256 };

struct command {
	size_t n;
	char *word[COMMAND_WORDS + 1]; /* owned, NULL behind the last: what execve() wants */
};

/*
 * 0; -EINVAL for an open quote, a backslash at the end or a control character; -E2BIG for too many
 * words; -EPERM when the first is not switchctl; -ENOMEM. command_done() may follow either.
 */
int command_parse(struct command *c, struct str line);
void command_done(struct command *c);
