#include "model/utf8.h"

#include <stddef.h>

struct range {
	int32_t first;
	int32_t last;
};

#include "widths.inc" /* wide, marks, unsafe: sorted */

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define REPLACEMENT STR("\xef\xbf\xbd")

static bool is_among(const struct range *r, size_t count, int32_t c)
{
	size_t low = 0;

	while (low < count) {
		size_t middle = (low + count) / 2;

		if (c > r[middle].last)
			low = middle + 1;
		else if (c < r[middle].first)
			count = middle;
		else
			return true;
	}
	return false;
}

/* Bytes of the sequence that begins with this byte, 0 if none does; and the bits that count. */
static size_t lead(uint8_t byte, int32_t *ret_bits)
{
	static const struct {
		uint8_t first;
		uint8_t last;
		uint8_t length;
		uint8_t bits;
	} leads[] = {
		{ 0x00, 0x7f, 1, 0x7f },
		{ 0xc2, 0xdf, 2, 0x1f },
		{ 0xe0, 0xef, 3, 0x0f },
		{ 0xf0, 0xf4, 4, 0x07 },
	};

	for (size_t i = 0; i < COUNT(leads); i++) {
		if (byte >= leads[i].first && byte <= leads[i].last) {
			*ret_bits = byte & leads[i].bits;
			return leads[i].length;
		}
	}
	return 0;
}

/* Not overlong, no surrogate, within Unicode. */
static bool is_scalar(int32_t c, size_t length)
{
	static const int32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	return c >= least[length] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

/* The length of the sequence at the front of s, which is not empty; 0 if there is none. */
static size_t decode(struct str s, int32_t *ret)
{
	int32_t c;
	size_t length = lead((uint8_t)s.p[0], &c);

	if (length == 0 || length > s.n)
		return 0;
	for (size_t i = 1; i < length; i++) {
		uint8_t byte = (uint8_t)s.p[i];

		if ((byte & 0xc0) != 0x80)
			return 0;
		c = (c << 6) | (byte & 0x3f);
	}
	if (!is_scalar(c, length))
		return 0;
	*ret = c;
	return length;
}

bool utf8_next(struct str *rest, int32_t *ret)
{
	if (rest->n == 0)
		return false;

	size_t length = decode(*rest, ret);
	if (length == 0) {
		*ret = UTF8_BAD;
		length = 1;
	}
	*rest = str_skip(*rest, length);
	return true;
}

bool utf8_is_valid(struct str s)
{
	int32_t c;

	while (utf8_next(&s, &c)) {
		if (c == UTF8_BAD)
			return false;
	}
	return true;
}

size_t utf8_length(struct str s)
{
	size_t n = 0;
	int32_t c;

	while (utf8_next(&s, &c))
		n++;
	return n;
}

bool utf8_is_control(int32_t c)
{
	static const struct range controls[] = {
		{ 0x00, 0x1f },     { 0x7f, 0x9f },     { 0x200e, 0x200f },
		{ 0x2028, 0x202e }, { 0x2066, 0x2069 },
	};

	return is_among(controls, COUNT(controls), c);
}

int utf8_width(int32_t c)
{
	if (c >= 0x20 && c < 0x7f)
		return 1;
	if (c == UTF8_BAD || utf8_is_control(c) || is_among(unsafe, COUNT(unsafe), c))
		return -1;
	if (is_among(marks, COUNT(marks), c))
		return 0;
	return is_among(wide, COUNT(wide), c) ? 2 : 1;
}

void buf_put_utf8(struct buf *b, struct str s)
{
	int32_t c;

	for (struct str rest = s; utf8_next(&rest, &c); s = rest)
		buf_put(b, c == UTF8_BAD ? REPLACEMENT : str_head(s, s.n - rest.n));
}
