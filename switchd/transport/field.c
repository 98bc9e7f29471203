#include "transport/field.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Up to and with its LF; everything if there is none. */
static size_t line_length(struct str s)
{
	const char *lf = memchr(s.p, '\n', s.n);

	return lf ? (size_t)(lf - s.p) + 1 : s.n;
}

struct str field_start_line(struct str *rest)
{
	while (rest->n > 0 && (rest->p[0] == '\r' || rest->p[0] == '\n'))
		*rest = str_skip(*rest, 1);

	struct str line = { rest->p, rest->n ? line_length(*rest) : 0 };

	*rest = str_skip(*rest, line.n);
	return str_trim(line);
}

bool field_next(struct str *rest, struct field *ret)
{
	if (rest->n == 0)
		return false;

	struct str line = { rest->p, line_length(*rest) };
	const char *colon = memchr(line.p, ':', line.n);

	while (line.n < rest->n && is_blank(rest->p[line.n]))
		line.n += line_length(str_skip(*rest, line.n));
	*rest = str_skip(*rest, line.n);

	if (!colon) {
		*ret = (struct field){ { line.p, 0 }, { line.p, 0 } };
		return str_trim(line).n > 0;
	}

	size_t n = (size_t)(colon - line.p);

	ret->value = str_trim(str_skip(line, n + 1));
	while (n > 0 && is_blank(line.p[n - 1]))
		n--;
	ret->name = str_n(line.p, n);
	return true;
}

struct str field_param(struct str params, struct str name)
{
	struct str one;

	while (str_split(&params, ';', &one)) {
		ptrdiff_t eq = str_chr(one, '=');

		if (eq > 0 && str_ieq(str_trim(str_head(one, (size_t)eq)), name))
			return str_trim(str_skip(one, (size_t)eq + 1));
	}
	return (struct str){ params.p, 0 };
}

/* Behind the quoted display name, if the value begins with one. */
static struct str skip_quoted(struct str s)
{
	if (s.n == 0 || s.p[0] != '"')
		return s;
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '"')
			return str_skip(s, i + 1);
		if (s.p[i] == '\\')
			i++;
	}
	return (struct str){ s.p, 0 };
}

struct str field_address_params(struct str value)
{
	value = skip_quoted(value);

	ptrdiff_t open = str_chr(value, '<');

	if (open >= 0) {
		ptrdiff_t close = str_chr(str_skip(value, (size_t)open), '>');

		return close < 0 ? (struct str){ value.p, 0 }
				 : str_skip(value, (size_t)(open + close) + 1);
	}

	ptrdiff_t semicolon = str_chr(value, ';');

	return semicolon < 0 ? (struct str){ value.p, 0 } : str_skip(value, (size_t)semicolon);
}
