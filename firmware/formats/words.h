/*
 * words: a command line as ssh hands it over, cut into words without a shell.
 *
 * Blanks separate; '...' keeps everything, "..." everything but \" and \\, a backslash outside keeps
 * the next character. Nothing is expanded: a dollar, a star, a semicolon are what they look like.
 */
#pragma once

#include <stddef.h>

#include "base/str.h"

enum { WORDS_MAX = 256 };

struct words {
	size_t n;
	char *text;                /* owned; the words one behind the other, each with a NUL */
	char *word[WORDS_MAX + 1]; /* into text; NULL behind the last */
};

/*
 * 0; -EINVAL for an open quote, a backslash at the end or a control character; -E2BIG for more than
 * WORDS_MAX words; -ENOMEM. words_done() may follow either.
 */
int words_split(struct words *w, struct str line);
void words_done(struct words *w);
