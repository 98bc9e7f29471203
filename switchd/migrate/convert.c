#include "migrate/convert.h"

#include <ctype.h>

#include "sheet/sheet.h"

enum { DIGITS_MAX = 30, EXPONENT_MAX = 400, SHIFT_MAX = 38, DECIMALS = 8 };

/* ---- money ---- */

struct decimal {
	int128_t digits;
	int count; /* of digits from the first that is not 0 */
	int64_t exponent;
	bool is_negative, has_any;
};

static bool take_digits(struct str *s, struct decimal *d, bool is_fraction)
{
	for (; s->n && isdigit((unsigned char)s->p[0]); *s = str_skip(*s, 1)) {
		d->has_any = true;
		d->count += d->count > 0 || s->p[0] != '0';
		if (d->count > DIGITS_MAX)
			return false;
		d->digits = d->digits * 10 + (s->p[0] - '0');
		d->exponent -= is_fraction;
	}
	return true;
}

static bool take_exponent(struct str *s, struct decimal *d)
{
	int64_t e = 0;

	if (!s->n || (s->p[0] | 0x20) != 'e')
		return true;
	*s = str_skip(*s, 1);
	if (s->n && s->p[0] == '+')
		*s = str_skip(*s, 1);
	if (str_to_i64(*s, -EXPONENT_MAX, EXPONENT_MAX, &e) < 0)
		return false;
	*s = str_skip(*s, s->n);
	d->exponent += e;
	return true;
}

static bool parse(struct str s, struct decimal *d)
{
	*d = (struct decimal){ 0 };
	if (s.n && (s.p[0] == '-' || s.p[0] == '+')) {
		d->is_negative = s.p[0] == '-';
		s = str_skip(s, 1);
	}
	if (!take_digits(&s, d, false))
		return false;
	if (s.n && s.p[0] == '.') {
		s = str_skip(s, 1);
		if (!take_digits(&s, d, true))
			return false;
	}
	return d->has_any && take_exponent(&s, d) && s.n == 0;
}

static int128_t power(int n)
{
	int128_t p = 1;

	while (n-- > 0)
		p *= 10;
	return p;
}

const char *convert_money(struct str text, bool rounds, money_t *ret, bool *ret_rounded)
{
	static const char too_large[] = "too large";
	struct decimal d;

	if (!parse(text, &d))
		return "not a decimal number";
	int64_t shift = d.exponent + DECIMALS;
	if (d.digits == 0 || shift < -SHIFT_MAX) {
		*ret_rounded = d.digits != 0;
		*ret = 0;
		return d.digits && !rounds ? "more than 8 decimals; round=8 rounds them" : NULL;
	}
	if (shift > 0 && (shift + d.count > SHIFT_MAX))
		return too_large;
	int128_t num = shift > 0 ? d.digits * power((int)shift) : d.digits;
	int128_t den = shift < 0 ? power((int)-shift) : 1;
	*ret_rounded = num % den != 0;
	if (*ret_rounded && !rounds)
		return "more than 8 decimals; round=8 rounds them";
	return money_round(d.is_negative ? -num : num, den, 1, ret) < 0 ? too_large : NULL;
}

/* ---- the others ---- */

static const char *put_list(struct str text, struct buf *out)
{
	bool is_open = false;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		bool is_gap = c == ',' || c == ';' || c == '|' || isspace((unsigned char)c);

		if (!is_gap && is_open && out->n)
			buf_putc(out, ',');
		is_open = is_gap;
		if (!is_gap)
			buf_putc(out, c);
	}
	return NULL;
}

/* Remarks have lines elsewhere; here a text is one. */
static void put_text(struct str text, struct buf *out)
{
	for (size_t i = 0; i < text.n; i++)
		buf_putc(out, strchr("\r\n\t", text.p[i]) && text.p[i] ? ' ' : text.p[i]);
}

/* 0 and less is how others say "never". */
static const char *put_epoch(struct str text, ms_t unit, struct buf *out)
{
	int64_t v;

	if (str_to_i64(text, INT64_MIN + 1, INT64_MAX, &v) < 0)
		return "not a whole number";
	if (v > 253402300799999 / unit)
		return "a time after the year 9999";
	if (v > 0)
		buf_put_time(out, v * unit);
	return NULL;
}

static const char *put_date(const struct convert *c, struct str text, struct buf *out)
{
	const struct sheet_format f = { .zone = c->zone };
	ms_t at;
	const char *why = sheet_moment(&f, text, &at);

	if (!why)
		buf_put_time(out, at);
	return why;
}

static bool find_word(struct str words, struct str text, struct str *ret)
{
	struct str one;

	while (str_split(&words, ',', &one)) {
		ptrdiff_t n = str_chr(one, '=');
		struct str key = n < 0 ? one : str_head(one, (size_t)n);

		*ret = n < 0 ? one : str_skip(one, (size_t)n + 1);
		if (str_eq(key, text) || str_eq(key, STR("*")))
			return true;
	}
	return false;
}

bool convert_is_word(struct str words, struct str text)
{
	struct str ignored;

	return text.n > 0 && find_word(words, text, &ignored);
}

static const char *put_word(struct str words, struct str text, struct buf *out)
{
	struct str word;

	if (!find_word(words, text, &word))
		return "the map has no word for it";
	buf_put(out, word);
	return NULL;
}

static const char *put_money(const struct convert *c, struct str text, struct buf *out,
			     bool *ret_rounded)
{
	money_t m;
	const char *why = convert_money(text, c->rounds, &m, ret_rounded);

	if (!why)
		buf_put_money(out, m);
	return why;
}

const char *convert_cell(const struct convert *c, const struct mapping_line *l,
			 const struct source_cell *cell, struct buf *out, bool *ret_rounded)
{
	struct str text = str_trim(cell->text);

	buf_clear(out);
	*ret_rounded = false;
	if (cell->is_null || text.n == 0) {
		buf_put(out, l->otherwise);
		return NULL;
	}
	switch (l->how) {
	case HOW_MONEY:
		return put_money(c, text, out, ret_rounded);
	case HOW_LIST:
		return put_list(text, out);
	case HOW_MS:
		return put_epoch(text, 1, out);
	case HOW_SECONDS:
		return put_epoch(text, 1000, out);
	case HOW_DATE:
		return put_date(c, text, out);
	case HOW_WORDS:
		return put_word(l->words, text, out);
	default:
		put_text(text, out);
		return NULL;
	}
}
