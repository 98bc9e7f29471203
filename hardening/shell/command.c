#include "command.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/word.h"

static int split(struct command *c, struct str line)
{
	CLEANUP(buf_done) struct buf word = BUF_INIT;
	int r;

	while ((r = word_next(&line, &word)) > 0) {
		if (c->n == COMMAND_WORDS)
			return -E2BIG;
		c->word[c->n] = str_dup(buf_str(&word));
		if (!c->word[c->n])
			return -ENOMEM;
		c->n++;
	}
	return r;
}

int command_parse(struct command *c, struct str line)
{
	*c = (struct command){ 0 };
	if (str_has_control(line))
		return -EINVAL;
	int r = split(c, line);
	if (r < 0)
		return r;
	return c->n > 0 && str_eq(str_of(c->word[0]), STR("switchctl")) ? 0 : -EPERM;
}

void command_done(struct command *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->word[i]);
	*c = (struct command){ 0 };
}
