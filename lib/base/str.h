/*
 * str: a slice of bytes that somebody else owns.
 *
 * Everything that comes from outside is handled as a slice, never as a C string: its length is
 * known and it may hold any octet. A slice is passed by value and is valid as long as its owner's
 * bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p;
	size_t n;
};

/* A slice of a string literal. */
#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })
/* The same where ISO C wants a constant: in tables, static or const. */
#define STR_INIT(literal)                      \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}
/* For printf: printf("%.*s", STR_ARG(s)) */
#define STR_ARG(s) (int)(s).n, (s).p

/* A C string as a slice; NULL gives the empty one. */
static inline struct str str_of(const char *z)
{
	return (struct str){ z, z ? strlen(z) : 0 };
}

/* n bytes at p. */
static inline struct str str_n(const void *p, size_t n)
{
	return (struct str){ (const char *)p, n };
}

static inline bool str_is_empty(struct str s)
{
	return s.n == 0;
}

bool str_eq(struct str a, struct str b);
/* The same without regard to the case of ASCII letters. */
bool str_ieq(struct str a, struct str b);
int str_cmp(struct str a, struct str b);
bool str_has_prefix(struct str s, struct str prefix);
bool str_has_suffix(struct str s, struct str suffix);
/* Position of c, or -1. */
ptrdiff_t str_chr(struct str s, char c);
/* Position of the first occurrence of needle, or -1; str_ifind ignores ASCII case. */
ptrdiff_t str_find(struct str s, struct str needle);
ptrdiff_t str_ifind(struct str s, struct str needle);
/* From byte `from` on (empty when past the end); at most n bytes. */
struct str str_skip(struct str s, size_t from);
struct str str_head(struct str s, size_t n);
/* Without SP, HTAB, CR and LF at both ends. */
struct str str_trim(struct str s);
/*
 * Takes the next piece before `sep` off the front of *rest, trimmed, and says true; false when
 * *rest is used up. "a,,b" gives "a", "", "b"; a separator at the end is followed by no piece.
 */
bool str_split(struct str *rest, char sep, struct str *ret);
/* Does s begin with one of a list of prefixes, "880,881"? An empty list: yes. */
bool str_has_listed_prefix(struct str s, struct str prefixes);
/* How many pieces str_split would give. */
size_t str_count(struct str s, char sep);
/* The next line without its CR LF or LF; false at the end. */
bool str_line(struct str *rest, struct str *ret);
/*
 * A whole slice as a decimal number: digits only, no sign, no blanks. 0; -EINVAL if it is anything
 * else; -ERANGE if it is over max. *ret is set on success only.
 */
int str_to_u64(struct str s, uint64_t max, uint64_t *ret);
int str_to_u32(struct str s, uint32_t max, uint32_t *ret);
/* The same with an optional leading '-'. -ERANGE outside min..max. */
int str_to_i64(struct str s, int64_t min, int64_t max, int64_t *ret);
/* True if every byte is an ASCII digit and there is at least one. */
bool str_is_digits(struct str s);
/* The value of a hex digit in lower case; -1 for anything else. */
int str_hex_digit(char c);
/* n bytes from exactly 2n hex digits in lower case, as buf_put_hex writes them. 0 or -EINVAL. */
int str_hex(struct str s, void *ret, size_t n);
/* True if a byte is below 0x20 or 0x7f. */
bool str_has_control(struct str s);
/*
 * Octets of the UTF-8 character at the front, its code point in *ret; 0 if there is none or it is
 * malformed (overlong, surrogate, cut short).
 */
size_t str_utf8(struct str s, uint32_t *ret);
/* A NUL-terminated copy that the caller frees; NULL if memory is short. */
char *str_dup(struct str s);
/*
 * Copies into dst (size bytes with the NUL). -ENOSPC if it does not fit or holds a NUL; dst is then
 * "".
 */
int str_copy(char *dst, size_t size, struct str s);
