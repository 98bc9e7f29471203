/*
 * buf: bytes that grow, with a sticky error, so that a writer checks once at the end.
 *
 *	struct buf b = BUF_INIT;
 *	buf_put(&b, STR("INVITE "));
 *	buf_printf(&b, "sip:%.*s@%s", STR_ARG(user), host);
 *	if (buf_error(&b)) ...
 *	buf_done(&b);
 *
 * A buffer may be fixed (buf_fixed): it then never allocates and fails with -ENOSPC.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct buf {
	char *p;
	size_t n;
	size_t cap;
	int err;
	bool is_fixed;
};

#define BUF_INIT ((struct buf){ 0 })

/* Writes into the caller's memory and never allocates. */
struct buf buf_fixed(void *p, size_t cap);
/* Frees the bytes and makes the buffer empty and usable again. */
void buf_done(struct buf *b);
/* Forgets the content and the error, keeps the memory. */
void buf_clear(struct buf *b);
/* 0, -ENOMEM or -ENOSPC: the first thing that went wrong since init or clear. */
static inline int buf_error(const struct buf *b)
{
	return b->err;
}
static inline struct str buf_str(const struct buf *b)
{
	return (struct str){ b->p, b->n };
}
/* Makes room for n more bytes. */
int buf_reserve(struct buf *b, size_t n);
void buf_put(struct buf *b, struct str s);
void buf_putc(struct buf *b, char c);
void buf_putz(struct buf *b, const char *z);
void buf_put_u64(struct buf *b, uint64_t v);
void buf_put_i64(struct buf *b, int64_t v);
/* Lower-case hex of n bytes. */
void buf_put_hex(struct buf *b, const void *p, size_t n);
/* s as UTF-8 with '?' for what is malformed, a control character, or changes direction or order. */
void buf_put_printable(struct buf *b, struct str s);
/* The same as text of HTML, in an element or in a quoted attribute: nothing in it is markup. */
void buf_put_html(struct buf *b, struct str s);
/* "…", with a backslash before quotes and backslashes (RFC 3261 §25.1, JSON); control characters stay as they are. */
void buf_put_quoted(struct buf *b, struct str s);
/* A fixed buffer needs room for the NUL that printf writes behind its text, too. */
__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *b, const char *fmt, ...);
__attribute__((format(printf, 2, 0))) void buf_vprintf(struct buf *b, const char *fmt, va_list ap);
/* Removes the first n bytes. */
void buf_consume(struct buf *b, size_t n);
/* The content with a NUL behind it, owned by the buffer; NULL after an error. */
const char *buf_cstr(struct buf *b);
/* The content with a NUL behind it, owned by the caller (free); NULL after an error. */
char *buf_steal(struct buf *b);

static inline void buf_done_cleanup(struct buf *b)
{
	buf_done(b);
}
