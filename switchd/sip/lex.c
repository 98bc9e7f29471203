#include "sip/lex.h"

#include <errno.h>

static bool is_token_char(char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return memchr("-.!%*_+`'~", c, 10) != NULL;
}

bool lex_is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!is_token_char(s.p[i]))
			return false;
	}
	return s.n > 0;
}

/* Length of the quoted string that s begins with, quotes included; 0 if it is not closed. */
static size_t quoted_length(struct str s)
{
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			return i + 1;
	}
	return 0;
}

/* Position of the first c outside quotes and angle brackets, or s.n. */
static size_t find_outside(struct str s, char c)
{
	bool in_angle = false;

	for (size_t i = 0; i < s.n;) {
		char here = s.p[i];

		if (here == '"' && !in_angle) {
			size_t n = quoted_length(str_skip(s, i));

			i = n ? i + n : s.n;
			continue;
		}
		if (here == c && !in_angle)
			return i;
		if (here == '<')
			in_angle = true;
		else if (here == '>')
			in_angle = false;
		i++;
	}
	return s.n;
}

bool lex_split(struct str *rest, char sep, struct str *ret)
{
	if (rest->n == 0)
		return false;

	size_t at = find_outside(*rest, sep);

	*ret = str_trim(str_head(*rest, at));
	*rest = str_skip(*rest, at + 1);
	return true;
}

bool lex_param(struct str params, struct str name, struct str *ret)
{
	struct str piece;

	while (lex_split(&params, ';', &piece)) {
		ptrdiff_t eq = str_chr(piece, '=');
		struct str key = eq < 0 ? piece : str_trim(str_head(piece, (size_t)eq));

		if (!str_ieq(key, name))
			continue;
		*ret = eq < 0 ? STR("") : str_trim(str_skip(piece, (size_t)eq + 1));
		return true;
	}
	return false;
}

bool lex_quoted(struct str s, struct str *ret)
{
	if (s.n < 2 || s.p[0] != '"' || quoted_length(s) != s.n)
		return false;
	*ret = str_head(str_skip(s, 1), s.n - 2);
	return true;
}

bool lex_is_visible(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= 0x20 || s.p[i] >= 0x7f)
			return false;
	}
	return s.n > 0;
}

/* Quotes are closed, and none of <>, stands outside of them. */
static bool is_closed(struct str params)
{
	for (size_t i = 0; i < params.n;) {
		size_t n = params.p[i] == '"' ? quoted_length(str_skip(params, i)) : 1;

		if (n == 0 || memchr("<>,", params.p[i], 3))
			return false;
		i += n;
	}
	return true;
}

/* name, or name=value with a token, a host or a quoted string for a value. */
static bool is_param(struct str piece)
{
	ptrdiff_t equals = str_chr(piece, '=');
	struct str value;

	if (equals < 0)
		return lex_is_token(piece);
	value = str_trim(str_skip(piece, (size_t)equals + 1));
	if (!lex_is_token(str_trim(str_head(piece, (size_t)equals))))
		return false;
	return lex_quoted(value, &value) || (lex_is_visible(value) && str_chr(value, '"') < 0);
}

bool lex_is_sound(struct str params)
{
	struct str piece;

	if (!is_closed(params))
		return false;
	if (params.n && params.p[0] == ';')
		params = str_skip(params, 1);
	while (lex_split(&params, ';', &piece)) {
		if (!is_param(piece))
			return false;
	}
	return true;
}

int lex_identifier(struct str params, struct str name, struct str *ret)
{
	struct str piece, value, found = STR("");

	while (lex_split(&params, ';', &piece)) {
		if (!lex_param(piece, name, &value))
			continue;
		if (found.n || !lex_is_visible(value) || str_chr(value, '"') >= 0)
			return -EINVAL;
		found = value;
	}
	*ret = found;
	return 0;
}

/*
 * An unquoted display name is made of tokens; octets over 0x7f and a few marks are let through, as
 * many phones send them.
 */
static int read_display(struct str s, struct str *ret)
{
	if (lex_quoted(s, ret))
		return 0;
	for (size_t i = 0; i < s.n; i++) {
		if (memchr("\"\\,;:<>", s.p[i], 8))
			return -EINVAL;
	}
	*ret = s;
	return 0;
}

static int name_addr(struct str s, size_t angle, struct name_addr *ret)
{
	struct str behind = str_skip(s, angle + 1);
	ptrdiff_t end = str_chr(behind, '>');
	struct name_addr a = { .display = STR("") };

	if (end <= 0 || read_display(str_trim(str_head(s, angle)), &a.display) < 0)
		return -EINVAL;
	a.uri = str_head(behind, (size_t)end);
	a.params = str_trim(str_skip(behind, (size_t)end + 1));
	if ((a.params.n && a.params.p[0] != ';') || !lex_is_sound(a.params))
		return -EINVAL;
	*ret = a;
	return 0;
}

/*
 * A '?' or ',' may stand only inside <> (RFC 3261 §20): it would be part of the URI for one reader
 * and not for another.
 */
static int bare_addr(struct str s, struct name_addr *ret)
{
	size_t end = find_outside(s, ';');
	struct str uri = str_trim(str_head(s, end));

	if (uri.n == 0 || str_chr(uri, '?') >= 0 || str_chr(uri, ',') >= 0 ||
	    !lex_is_sound(str_skip(s, end)))
		return -EINVAL;
	*ret = (struct name_addr){ STR(""), uri, str_skip(s, end) };
	return 0;
}

int lex_name_addr(struct str s, struct name_addr *ret)
{
	s = str_trim(s);

	size_t start = 0;
	if (s.n && s.p[0] == '"') {
		start = quoted_length(s);
		if (start == 0)
			return -EINVAL;
	}
	ptrdiff_t angle = str_chr(str_skip(s, start), '<');
	ptrdiff_t semicolon = str_chr(str_skip(s, start), ';');

	/* sip:a@b;x="<" is an addr-spec, whatever its parameters hold. */
	if (angle >= 0 && (semicolon < 0 || angle < semicolon))
		return name_addr(s, start + (size_t)angle, ret);
	return start ? -EINVAL : bare_addr(s, ret);
}
