#include "formats/words.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"

/* Where we are in the line, and where the next character of a word goes. */
struct cutter {
	struct str rest;
	char *to;
	char quote; /* 0 outside */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* Takes one character, with the one that a backslash keeps. -EINVAL when that one is missing. */
static int take(struct cutter *c)
{
	char now = c->rest.p[0];
	bool keeps = now == '\\' && c->quote != '\'';

	if (keeps && c->rest.n == 1)
		return -EINVAL;
	if (keeps && c->quote == '"' && c->rest.p[1] != '"' && c->rest.p[1] != '\\')
		keeps = false;
	if (!keeps && c->quote == 0 && (now == '\'' || now == '"'))
		c->quote = now;
	else if (!keeps && now == c->quote)
		c->quote = 0;
	else
		*c->to++ = c->rest.p[keeps ? 1 : 0];
	c->rest = str_skip(c->rest, keeps ? 2 : 1);
	return 0;
}

/* One word, which begins at c->rest. */
static int cut(struct cutter *c)
{
	while (c->rest.n > 0 && (c->quote != 0 || !is_blank(c->rest.p[0]))) {
		int r = take(c);
		if (r < 0)
			return r;
	}
	if (c->quote != 0)
		return -EINVAL;
	*c->to++ = '\0';
	return 0;
}

static bool has_control(struct str line)
{
	for (size_t i = 0; i < line.n; i++) {
		unsigned char c = (unsigned char)line.p[i];
		if ((c < 0x20 && !is_blank((char)c)) || c == 0x7f)
			return true;
	}
	return false;
}

int words_split(struct words *w, struct str line)
{
	*w = (struct words){ 0 };
	if (has_control(line))
		return -EINVAL;
	/* Every character stands for itself at most, and each word's blank or end for its NUL. */
	w->text = malloc(line.n + 1);
	if (!w->text)
		return -ENOMEM;
	for (struct cutter c = { line, w->text, 0 };;) {
		while (c.rest.n > 0 && is_blank(c.rest.p[0]))
			c.rest = str_skip(c.rest, 1);
		if (c.rest.n == 0)
			return 0;
		if (w->n == WORDS_MAX)
			return -E2BIG;
		w->word[w->n] = c.to;
		int r = cut(&c);
		if (r < 0)
			return r;
		w->n++;
	}
}

void words_done(struct words *w)
{
	free(w->text);
	*w = (struct words){ 0 };
}
