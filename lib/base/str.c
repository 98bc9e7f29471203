#include "base/str.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* Not tolower(): that one asks the locale, and its argument must not be negative. */
static unsigned char lower(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 'A' && u <= 'Z' ? (unsigned char)(u | 0x20) : u;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* memcmp wants a valid pointer even for no bytes at all, and an empty slice may be NULL. */
static bool same(const char *a, const char *b, size_t n)
{
	return n == 0 || memcmp(a, b, n) == 0;
}

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && same(a.p, b.p, a.n);
}

bool str_ieq(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

int str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int r = n ? memcmp(a.p, b.p, n) : 0;

	return r ? r : (a.n > b.n) - (a.n < b.n);
}

bool str_has_prefix(struct str s, struct str prefix)
{
	return s.n >= prefix.n && same(s.p, prefix.p, prefix.n);
}

bool str_has_suffix(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_eq(str_skip(s, s.n - suffix.n), suffix);
}

ptrdiff_t str_chr(struct str s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

	return at ? at - s.p : -1;
}

ptrdiff_t str_find(struct str s, struct str needle)
{
	if (needle.n == 0)
		return 0;
	if (s.n < needle.n)
		return -1;

	const char *at = memmem(s.p, s.n, needle.p, needle.n);

	return at ? at - s.p : -1;
}

ptrdiff_t str_ifind(struct str s, struct str needle)
{
	for (size_t i = 0; i + needle.n <= s.n; i++)
		if (str_ieq(str_head(str_skip(s, i), needle.n), needle))
			return (ptrdiff_t)i;
	return -1;
}

struct str str_skip(struct str s, size_t from)
{
	if (from > s.n)
		from = s.n;
	return from ? str_n(s.p + from, s.n - from) : s;
}

struct str str_head(struct str s, size_t n)
{
	return str_n(s.p, n < s.n ? n : s.n);
}

struct str str_trim(struct str s)
{
	while (s.n && is_blank(s.p[0]))
		s = str_skip(s, 1);
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* Cuts *rest at the first c, which goes; without one all of it is the piece. */
static bool cut(struct str *rest, char c, struct str *ret)
{
	if (rest->n == 0)
		return false;

	ptrdiff_t at = str_chr(*rest, c);
	size_t n = at < 0 ? rest->n : (size_t)at;

	*ret = str_head(*rest, n);
	*rest = str_skip(*rest, n + 1);
	return true;
}

bool str_split(struct str *rest, char sep, struct str *ret)
{
	struct str piece;

	if (!cut(rest, sep, &piece))
		return false;
	*ret = str_trim(piece);
	return true;
}

bool str_has_listed_prefix(struct str s, struct str prefixes)
{
	struct str prefix;

	if (str_is_empty(prefixes))
		return true;
	while (str_split(&prefixes, ',', &prefix))
		if (str_has_prefix(s, prefix))
			return true;
	return false;
}

size_t str_count(struct str s, char sep)
{
	struct str piece;
	size_t n = 0;

	while (cut(&s, sep, &piece))
		n++;
	return n;
}

bool str_line(struct str *rest, struct str *ret)
{
	struct str line;

	if (!cut(rest, '\n', &line))
		return false;
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	*ret = line;
	return true;
}

int str_to_u64(struct str s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	/* First: a long text with a letter at its end is no number, not a large one. */
	if (!str_is_digits(s))
		return -EINVAL;

	for (size_t i = 0; i < s.n; i++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return -ERANGE;
	if (v > max)
		return -ERANGE;

	*ret = v;
	return 0;
}

int str_to_u32(struct str s, uint32_t max, uint32_t *ret)
{
	uint64_t v;
	int r = str_to_u64(s, max, &v);

	if (r < 0)
		return r;
	*ret = (uint32_t)v;
	return 0;
}

int str_to_i64(struct str s, int64_t min, int64_t max, int64_t *ret)
{
	bool negative = s.n > 0 && s.p[0] == '-';
	uint64_t u, limit = (uint64_t)INT64_MAX + negative;
	int r = str_to_u64(negative ? str_skip(s, 1) : s, limit, &u);

	if (r < 0)
		return r;

	int64_t v = (int64_t)(negative ? -u : u);
	if (v < min || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

bool str_is_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_digit(s.p[i]))
			return false;
	return s.n > 0;
}

bool str_has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return true;
	return false;
}

/* Length of a character by its first octet; 0 for one that cannot stand first (RFC 3629). */
static size_t utf8_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first < 0xe0)
		return 2;
	if (first >= 0xe0 && first < 0xf0)
		return 3;
	return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

size_t str_utf8(struct str s, uint32_t *ret)
{
	/*
	 * The smallest code point of each length: anything below was written longer than need be.
	 */
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s.n ? utf8_length((unsigned char)s.p[0]) : 0;

	if (n == 0 || n > s.n)
		return 0;

	uint32_t c = (unsigned char)s.p[0] & (n == 1 ? 0x7fU : 0xffU >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)s.p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | ((unsigned char)s.p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;

	*ret = c;
	return n;
}

char *str_dup(struct str s)
{
	char *z = malloc(s.n + 1);

	if (!z)
		return NULL;
	if (s.n)
		memcpy(z, s.p, s.n);
	z[s.n] = 0;
	return z;
}

int str_copy(char *dst, size_t size, struct str s)
{
	assert(size > 0);
	dst[0] = 0;
	if (s.n >= size || str_chr(s, 0) >= 0)
		return -ENOSPC;
	if (s.n)
		memcpy(dst, s.p, s.n);
	dst[s.n] = 0;
	return 0;
}

int str_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int str_hex(struct str s, void *ret, size_t n)
{
	unsigned char *byte = ret;

	if (s.n != 2 * n)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		int high = str_hex_digit(s.p[2 * i]), low = str_hex_digit(s.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		byte[i] = (unsigned char)(high << 4 | low);
	}
	return 0;
}
