#include "base/base64.h"

#include <errno.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void buf_put_base64(struct buf *b, struct str bytes, bool is_padded)
{
	for (size_t i = 0; i < bytes.n; i += 3) {
		size_t n = bytes.n - i < 3 ? bytes.n - i : 3;
		uint32_t v = 0;

		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (k < n ? (unsigned char)bytes.p[i + k] : 0);
		for (size_t k = 0; k < 4; k++) {
			if (k <= n)
				buf_putc(b, digits[v >> (18 - 6 * k) & 63]);
			else if (is_padded)
				buf_putc(b, '=');
		}
	}
}

static int value_of(char c)
{
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Without its padding, which only a text of whole groups may have. */
static struct str unpadded(struct str text)
{
	size_t n = text.n;

	if (n % 4 == 0 && n > 0 && text.p[n - 1] == '=')
		n -= text.p[n - 2] == '=' ? 2 : 1;
	return str_head(text, n);
}

int base64_decode(struct str text, struct buf *out)
{
	struct str s = unpadded(text);
	size_t before = out->n;
	uint32_t v = 0;
	unsigned bits = 0;

	for (size_t i = 0; i < s.n; i++) {
		int digit = value_of(s.p[i]);

		if (digit < 0)
			break;
		v = v << 6 | (uint32_t)digit;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			buf_putc(out, (char)(v >> bits & 0xff));
			v &= (1U << bits) - 1;
		}
		if (i + 1 == s.n && s.n % 4 != 1 && v == 0)
			return 0;
	}
	if (s.n == 0 && text.n == 0)
		return 0;
	out->n = before;
	return -EINVAL;
}
