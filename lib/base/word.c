#include "base/word.h"

#include <errno.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes what stands before the closing quote. */
static int take_quoted(struct str *rest, char quote, struct buf *word)
{
	while (rest->n > 0) {
		char c = rest->p[0];

		*rest = str_skip(*rest, 1);
		if (c == quote)
			return 0;
		if (c == '\\' && quote == '"') {
			if (rest->n == 0)
				return -EINVAL;
			c = rest->p[0];
			*rest = str_skip(*rest, 1);
		}
		buf_putc(word, c);
	}
	return -EINVAL;
}

static int take(struct str *rest, struct buf *word)
{
	char c = rest->p[0];

	*rest = str_skip(*rest, 1);
	if (c == '"' || c == '\'')
		return take_quoted(rest, c, word);
	if (c == '\\') {
		if (rest->n == 0)
			return -EINVAL;
		c = rest->p[0];
		*rest = str_skip(*rest, 1);
	}
	buf_putc(word, c);
	return 0;
}

int word_next(struct str *rest, struct buf *word)
{
	int r = 0;

	buf_clear(word);
	while (rest->n > 0 && is_blank(rest->p[0]))
		*rest = str_skip(*rest, 1);
	if (rest->n == 0)
		return 0;
	while (r == 0 && rest->n > 0 && !is_blank(rest->p[0]))
		r = take(rest, word);
	if (r == 0)
		r = buf_error(word);
	return r < 0 ? r : 1;
}
