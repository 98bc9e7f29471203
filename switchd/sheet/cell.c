#include "sheet/cell.h"

#include <errno.h>

#include "base/clock.h"
#include "base/trie.h"
#include "model/entity.h"
#include "model/utf8.h"
#include "rating/terms.h"

enum { AMOUNT_MAX = 40, DECIMALS = 8, AREA_MAX = 128, SECTIONS_MAX = 1024, DAY_S = 86400 };
enum { YEAR_MIN = 1970, YEAR_MAX = 9999 };

const char *cell_prefix(struct str cell)
{
	if (str_is_empty(cell))
		return "a prefix is missing";
	return trie_is_key(cell) ? NULL : "not a prefix: up to 40 of 0-9 * # +";
}

/* ---- amounts ---- */

/* One digit too many decides: half up. */
static bool take_rounded(struct str text, money_t *ret)
{
	ptrdiff_t point = str_chr(text, '.');
	struct str rest = str_skip(text, (size_t)point + 1 + DECIMALS);

	if (!str_is_digits(rest) || money_parse(str_head(text, text.n - rest.n), ret) < 0)
		return false;
	*ret += rest.p[0] >= '5';
	return true;
}

static bool is_too_fine(struct str text)
{
	ptrdiff_t point = str_chr(text, '.');

	return point > 0 && text.n - (size_t)point - 1 > DECIMALS &&
	       str_is_digits(str_head(text, (size_t)point)) &&
	       str_is_digits(str_skip(text, (size_t)point + 1));
}

const char *cell_amount(const struct sheet_format *f, struct str cell, money_t max, money_t *ret,
			bool *ret_rounded)
{
	char text[AMOUNT_MAX];
	money_t m = 0;

	if (cell.n == 0 || cell.n > sizeof(text))
		return cell.n ? "not an amount" : "it is missing";
	for (size_t i = 0; i < cell.n; i++) {
		if (f->is_comma && cell.p[i] == '.')
			return "not an amount with a comma for its decimals (decimal=comma)";
		text[i] = f->is_comma && cell.p[i] == ',' ? '.' : cell.p[i];
	}
	struct str s = str_n(text, cell.n);
	int r = money_parse(s, &m);
	if (r < 0 && is_too_fine(s)) {
		if (!f->rounds)
			return "more than 8 decimals: round=8 rounds them";
		r = take_rounded(s, &m) ? 0 : -EINVAL;
		*ret_rounded = true;
	}
	if (r == -ERANGE)
		return "too large";
	if (r < 0)
		return !f->is_comma && str_chr(cell, ',') >= 0
			       ? "not an amount (decimal=comma takes 0,0123)"
			       : "not an amount such as 0.0123";
	if (m < 0)
		return "negative";
	if (m > max)
		return "too large";
	*ret = m;
	return NULL;
}

const char *cell_seconds(struct str cell, int32_t *ret)
{
	int64_t v;

	if (str_to_i64(cell, 1, DAY_S, &v) < 0)
		return "not a number of seconds from 1 to 86400";
	*ret = (int32_t)v;
	return NULL;
}

const char *cell_increments(struct str cell, int32_t *ret_first, int32_t *ret_step)
{
	struct str first;

	if (!str_split(&cell, '/', &first) || cell_seconds(first, ret_first) ||
	    cell_seconds(str_trim(cell), ret_step))
		return "not first/step in seconds, such as 60/1";
	return NULL;
}

const char *cell_sections(struct str cell)
{
	struct terms t = TERMS_DEFAULT;

	if (cell.n == 0)
		return NULL;
	if (cell.n > SECTIONS_MAX || terms_parse_sections(cell, &t) < 0 || terms_check(&t) < 0)
		return "not a list of start:price with ascending starts, at most 16";
	return NULL;
}

/* ---- texts ---- */

/* What csv_put put in front of text that a spreadsheet would run. */
static struct str without_guard(struct str s)
{
	bool is_guarded = s.n > 1 && s.p[0] == '\'' &&
			  (s.p[1] == '=' || s.p[1] == '+' || s.p[1] == '-' || s.p[1] == '@');

	return is_guarded ? str_skip(s, 1) : s;
}

const char *cell_area(struct str *cell)
{
	struct str rest = *cell = without_guard(*cell);
	int32_t c;
	int n = 0;

	for (; utf8_next(&rest, &c); n++) {
		if (c == UTF8_BAD)
			return "not UTF-8 text";
		if (utf8_is_control(c))
			return "a control character";
	}
	return n > AREA_MAX ? "longer than 128 characters" : NULL;
}

const char *cell_action(struct str cell, bool *ret_delete)
{
	static const struct {
		const char *word;
		bool is_delete;
	} words[] = {
		{ "add", false },     { "a", false },         { "new", false },
		{ "change", false },  { "c", false },         { "update", false },
		{ "u", false },       { "increase", false },  { "decrease", false },
		{ "current", false }, { "unchanged", false }, { "no change", false },
		{ "delete", true },   { "d", true },          { "del", true },
		{ "remove", true },   { "removed", true },    { "deleted", true },
		{ "close", true },    { "closed", true },     { "block", true },
		{ "blocked", true },
	};

	*ret_delete = false;
	if (cell.n == 0)
		return NULL;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (str_ieq(cell, str_of(words[i].word))) {
			*ret_delete = words[i].is_delete;
			return NULL;
		}
	}
	return "neither add, change nor delete";
}

/* ---- moments ---- */

static const char no_date[] = "not a date or time that can be read";

/* Three numbers with - / or . between them, in the order of the format. What follows is left in *rest. */
static bool read_day(const struct sheet_format *f, struct str *rest, int64_t *ret_days)
{
	uint64_t v[3] = { 0 };
	size_t i = 0, digits = 0;
	int n = 0;

	for (; i < rest->n; i++) {
		char c = rest->p[i];

		if (c >= '0' && c <= '9' && digits < 4) {
			v[n] = v[n] * 10 + (uint64_t)(c - '0');
			digits++;
		} else if (n < 2 && digits > 0 && (c == '-' || c == '/' || c == '.')) {
			n++;
			digits = 0;
		} else {
			break;
		}
	}
	if (n != 2 || digits == 0)
		return false;
	/* A year in front says by itself what is meant. */
	enum sheet_dates order = v[0] > 31 ? SHEET_ISO : f->dates;
	int year = (int)v[order == SHEET_ISO ? 0 : 2];
	int month = (int)v[order == SHEET_MDY ? 0 : 1];
	int day = (int)v[order == SHEET_ISO ? 2 : order == SHEET_MDY ? 1 : 0];
	int y, m, d;

	if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	*ret_days = clock_days(year, month, day);
	clock_date(*ret_days, &y, &m, &d);
	*rest = str_skip(*rest, i);
	return y == year && m == month && d == day;
}

/* hh:mm or hh:mm:ss */
static bool read_clock(struct str s, int64_t *ret_ms)
{
	static const uint64_t most[] = { 23, 59, 59 };
	struct str part;
	int64_t total = 0;
	int n = 0;

	for (; n < 3 && str_split(&s, ':', &part); n++) {
		uint64_t v;

		if (part.n != 2 || str_to_u64(part, most[n], &v) < 0)
			return false;
		total = total * 60 + (int64_t)v;
	}
	if (s.n || n < 2)
		return false;
	*ret_ms = (n == 2 ? total * 60 : total) * 1000;
	return true;
}

const char *sheet_moment(const struct sheet_format *f, struct str text, ms_t *ret)
{
	struct str rest = text;
	int64_t days, clock = 0;
	ms_t utc;

	if (text.n > 10 && clock_parse(text, ret) == 0) /* with its own offset */
		return NULL;
	if (!read_day(f, &rest, &days))
		return f->dates == SHEET_ISO ? "not a date such as 2026-12-01 (dates=dmy or mdy?)"
					     : no_date;
	if (rest.n &&
	    ((rest.p[0] != ' ' && rest.p[0] != 'T') || !read_clock(str_skip(rest, 1), &clock)))
		return no_date;
	ms_t local = days * DAY_MS + clock;
	utc = zone_utc(f->zone, local);
	if (utc + zone_offset(f->zone, utc) != local)
		return "there is no such time in that zone: its clocks go forward then";
	*ret = utc;
	return NULL;
}
