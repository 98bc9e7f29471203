#include "tui/line.h"

#include <string.h>

#include "base/secret.h"
#include "model/text.h"
#include "model/utf8.h"
#include "tui/keys.h"

void line_done(struct line *l)
{
	if (l->text.p)
		secret_wipe(l->text.p, l->text.cap);
	buf_done(&l->text);
	l->at = 0;
}

int line_set(struct line *l, struct str text)
{
	buf_clear(&l->text);
	buf_put(&l->text, text);
	l->at = l->text.n;
	return buf_error(&l->text);
}

/* Bytes of the character that ends, or begins, at the cursor; marks go with what they stand on. */
static size_t before(const struct line *l)
{
	size_t at = l->at;
	int32_t c = 0;

	while (at > 0) {
		do
			at--;
		while (at > 0 && ((unsigned char)l->text.p[at] & 0xc0) == 0x80);
		struct str rest = str_skip(line_str(l), at);
		(void)utf8_next(&rest, &c);
		if (utf8_width(c) != 0)
			break;
	}
	return l->at - at;
}

static size_t behind(const struct line *l)
{
	struct str rest = str_skip(line_str(l), l->at), last = rest;
	int32_t c;

	for (bool is_first = true; utf8_next(&rest, &c); is_first = false) {
		if (!is_first && utf8_width(c) != 0)
			break;
		last = rest;
	}
	return str_skip(line_str(l), l->at).n - last.n;
}

static void cut(struct line *l, size_t from, size_t n)
{
	memmove(l->text.p + from, l->text.p + from + n, l->text.n - from - n);
	l->text.n -= n;
	l->at = from;
}

static size_t encode(int32_t c, char out[4])
{
	static const unsigned char leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	out[0] = (char)(leads[n == 1 ? 0 : n] | (unsigned)c);
	return n;
}

/* What a field must not hold is not taken at all. */
static bool insert(struct line *l, int32_t c)
{
	char bytes[4];

	if (c < ' ' || c >= 0x110000 || utf8_width(c) < 0)
		return false;
	if (utf8_length(line_str(l)) >= l->max)
		return true;

	size_t n = encode(c, bytes);
	if (buf_reserve(&l->text, n) < 0) {
		l->text.err = 0; /* the text is as it was */
		return true;
	}
	memmove(l->text.p + l->at + n, l->text.p + l->at, l->text.n - l->at);
	memcpy(l->text.p + l->at, bytes, n);
	l->text.n += n;
	l->at += n;
	return true;
}

bool line_key(struct line *l, int key)
{
	switch (key) {
	case K_LEFT:
		l->at -= before(l);
		return true;
	case K_RIGHT:
		l->at += behind(l);
		return true;
	case K_HOME:
	case K_CTRL('a'):
		l->at = 0;
		return true;
	case K_END:
	case K_CTRL('e'):
		l->at = l->text.n;
		return true;
	case K_BACKSPACE:
		if (l->at > 0)
			cut(l, l->at - before(l), before(l));
		return true;
	case K_DELETE:
	case K_CTRL('d'):
		if (l->at < l->text.n)
			cut(l, l->at, behind(l));
		return true;
	case K_CTRL('u'):
		if (l->at > 0)
			cut(l, 0, l->at);
		return true;
	case K_CTRL('k'):
		l->text.n = l->at;
		return true;
	default:
		return insert(l, key);
	}
}

struct str line_window(const struct line *l, int width, int *ret_cursor)
{
	struct str head = str_head(line_str(l), l->at);
	size_t room = width > 0 ? (size_t)width - 1 : 0; /* the cursor may stand behind the text */
	size_t from = 0;
	int32_t c;

	for (struct str rest = head; text_width(rest) > room && utf8_next(&rest, &c);)
		from = head.n - rest.n;
	*ret_cursor = (int)text_width(str_skip(head, from));
	return str_skip(line_str(l), from);
}
