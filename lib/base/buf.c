#include "base/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum { LEAST = 64 };

struct buf buf_fixed(void *p, size_t cap)
{
	return (struct buf){ .p = p, .cap = cap, .is_fixed = true };
}

void buf_done(struct buf *b)
{
	if (b->is_fixed) {
		buf_clear(b);
		return;
	}
	free(b->p);
	*b = BUF_INIT;
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	b->err = 0;
}

static int fail(struct buf *b, int err)
{
	b->err = err;
	return err;
}

int buf_reserve(struct buf *b, size_t n)
{
	if (b->err)
		return b->err;
	if (n <= b->cap - b->n)
		return 0;
	if (b->is_fixed)
		return fail(b, -ENOSPC);
	if (n > SIZE_MAX / 4 - b->n)
		return fail(b, -ENOMEM);

	size_t cap = b->cap < LEAST ? LEAST : b->cap * 2;
	if (cap < b->n + n)
		cap = b->n + n;

	char *p = realloc(b->p, cap);
	if (!p)
		return fail(b, -ENOMEM);
	b->p = p;
	b->cap = cap;
	return 0;
}

void buf_put(struct buf *b, struct str s)
{
	if (s.n == 0 || buf_reserve(b, s.n) < 0)
		return;
	memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
}

void buf_putc(struct buf *b, char c)
{
	if (buf_reserve(b, 1) < 0)
		return;
	b->p[b->n++] = c;
}

void buf_putz(struct buf *b, const char *z)
{
	buf_put(b, str_of(z));
}

void buf_put_u64(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + v % 10);
	while (v /= 10);
	buf_put(b, str_n(digits + at, sizeof(digits) - at));
}

void buf_put_i64(struct buf *b, int64_t v)
{
	if (v < 0)
		buf_putc(b, '-');
	buf_put_u64(b, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

void buf_put_hex(struct buf *b, const void *p, size_t n)
{
	static const char digit[] = "0123456789abcdef";
	const unsigned char *octet = p;

	if (n > SIZE_MAX / 8) {
		if (!b->err)
			(void)fail(b, b->is_fixed ? -ENOSPC : -ENOMEM);
		return;
	}
	if (buf_reserve(b, 2 * n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		b->p[b->n++] = digit[octet[i] >> 4];
		b->p[b->n++] = digit[octet[i] & 15];
	}
}

/* Characters that a terminal acts on, or that make a line look like another one. */
static bool is_deceptive(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || /* C0, DEL, C1 */
	       (c >= 0x200b && c <= 0x200f) ||        /* zero width, direction marks */
	       (c >= 0x2028 && c <= 0x202e) ||        /* line and paragraph ends, embeddings */
	       (c >= 0x2060 && c <= 0x206f) ||        /* joiners, isolates */
	       c == 0x061c || c == 0xfeff;
}

void buf_put_quoted(struct buf *b, struct str s)
{
	buf_putc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_putc(b, '\\');
		buf_putc(b, s.p[i]);
	}
	buf_putc(b, '"');
}

void buf_put_printable(struct buf *b, struct str s)
{
	while (s.n && !b->err) {
		uint32_t c;
		size_t n = str_utf8(s, &c);

		if (n == 0 || is_deceptive(c))
			buf_putc(b, '?');
		else
			buf_put(b, str_head(s, n));
		s = str_skip(s, n ? n : 1);
	}
}

void buf_put_html(struct buf *b, struct str s)
{
	static const char *const entity[] = {
		['<'] = "&lt;", ['>'] = "&gt;", ['&'] = "&amp;", ['"'] = "&quot;", ['\''] = "&#39;"
	};
	CLEANUP(buf_done) struct buf clean = BUF_INIT;

	buf_put_printable(&clean, s);
	for (size_t i = 0; i < clean.n; i++) {
		unsigned char c = (unsigned char)clean.p[i];

		if (c < sizeof(entity) / sizeof(entity[0]) && entity[c])
			buf_putz(b, entity[c]);
		else
			buf_putc(b, clean.p[i]);
	}
	if (clean.err)
		(void)fail(b, clean.err);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;

	if (b->err)
		return;

	/* Tried in the room there is, which is nearly always enough. */
	va_copy(again, ap);
	int n = vsnprintf(b->p ? b->p + b->n : NULL, b->cap - b->n, fmt, ap);
	if (n < 0)
		(void)fail(b, -ENOMEM);
	else if ((size_t)n < b->cap - b->n)
		b->n += (size_t)n;
	else if (buf_reserve(b, (size_t)n + 1) == 0)
		b->n += (size_t)vsnprintf(b->p + b->n, b->cap - b->n, fmt, again);
	va_end(again);
}

void buf_consume(struct buf *b, size_t n)
{
	if (b->err)
		return;
	assert(n <= b->n);
	b->n -= n;
	if (b->n && n)
		memmove(b->p, b->p + n, b->n);
}

const char *buf_cstr(struct buf *b)
{
	if (buf_reserve(b, 1) < 0)
		return NULL;
	b->p[b->n] = 0;
	return b->p;
}

char *buf_steal(struct buf *b)
{
	if (b->err)
		return NULL;
	if (b->is_fixed)
		return str_dup(buf_str(b));
	if (!buf_cstr(b))
		return NULL;

	char *p = b->p;
	*b = BUF_INIT;
	return p;
}
