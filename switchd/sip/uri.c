#include "sip/uri.h"

#include <arpa/inet.h>
#include <errno.h>

#include "sip/lex.h"

enum { NUMBER_MAX = 40 };

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The octet that "%41" stands for; -1 if s does not begin with an escape. */
static int escaped_octet(struct str s)
{
	int high, low;

	if (s.n < 3 || s.p[0] != '%')
		return -1;
	high = hex_value(s.p[1]);
	low = hex_value(s.p[2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/*
 * Takes one character off the front of *s, an escape resolved. Escapes were checked by uri_parse.
 */
static char next_octet(struct str *s)
{
	int octet = escaped_octet(*s);
	char c = octet < 0 ? s->p[0] : (char)octet;

	*s = str_skip(*s, octet < 0 ? 1 : 3);
	return c;
}

static bool has_only_uri_chars(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= 0x20 || c >= 0x7f || c == '<' || c == '>' || c == '"' || c == '\\')
			return false;
	}
	return true;
}

/* Every '%' begins an escape, and none is of a control octet. */
static bool has_sound_escapes(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '%')
			continue;

		int octet = escaped_octet(str_skip(s, i));
		if (octet < 0x20 || octet == 0x7f)
			return false;
	}
	return true;
}

static bool is_scheme(struct str s)
{
	if (s.n == 0 || !is_letter(s.p[0]))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!is_letter(c) && !is_digit(c) && c != '+' && c != '-' && c != '.')
			return false;
	}
	return true;
}

static enum uri_scheme scheme_find(struct str s)
{
	if (str_ieq(s, STR("sip")))
		return URI_SIP;
	if (str_ieq(s, STR("sips")))
		return URI_SIPS;
	return str_ieq(s, STR("tel")) ? URI_TEL : URI_OTHER;
}

/* Cuts *s before the first c and returns what stands behind it; empty if there is none. */
static struct str cut_tail(struct str *s, char c)
{
	ptrdiff_t at = str_chr(*s, c);

	if (at < 0)
		return STR("");

	struct str tail = str_skip(*s, (size_t)at + 1);
	*s = str_head(*s, (size_t)at);
	return tail;
}

static int read_port(struct str s, uint16_t *ret)
{
	uint32_t port;

	if (s.n == 0 || s.p[0] != ':' || str_to_u32(str_skip(s, 1), UINT16_MAX, &port) < 0 ||
	    port == 0)
		return -EINVAL;
	*ret = (uint16_t)port;
	return 0;
}

/*
 * The grammar of RFC 3261 has one colon too many before an IPv4 part, [2001:db8:::192.0.2.1], and
 * RFC 5118 §4.10 wants that understood.
 */
static struct str without_third_colon(struct str s, char *room)
{
	ptrdiff_t at = str_find(s, STR(":::"));

	if (at < 0 || str_chr(s, '.') < 0)
		return s;
	memcpy(room, s.p, (size_t)at);
	memcpy(room + at, s.p + at + 1, s.n - (size_t)at - 1);
	return str_n(room, s.n - 1);
}

static bool is_ipv6(struct str s)
{
	char text[INET6_ADDRSTRLEN], fewer[INET6_ADDRSTRLEN];
	struct in6_addr a;

	if (s.n >= sizeof(fewer))
		return false;
	return str_copy(text, sizeof(text), without_third_colon(s, fewer)) == 0 &&
	       inet_pton(AF_INET6, text, &a) == 1;
}

static bool is_host_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!is_letter(c) && !is_digit(c) && c != '.' && c != '-' && c != '_')
			return false;
	}
	return s.n > 0;
}

int uri_host_port(struct str s, struct str *ret_host, uint16_t *ret_port)
{
	bool is_bracketed = s.n && s.p[0] == '[';
	ptrdiff_t end = str_chr(s, is_bracketed ? ']' : ':');
	struct str host = end < 0 ? s : str_head(s, (size_t)end);
	struct str rest = end < 0 ? STR("") : str_skip(s, (size_t)end + is_bracketed);
	uint16_t port = 0;

	if (is_bracketed) {
		host = str_skip(host, 1);
		if (end < 0 || !is_ipv6(host))
			return -EINVAL;
	} else if (!is_host_name(host)) {
		return -EINVAL;
	}
	if (rest.n && read_port(rest, &port) < 0)
		return -EINVAL;
	*ret_host = host;
	*ret_port = port;
	return 0;
}

/* A password is not wanted by anyone here, and is left out. */
static int read_user(struct str s, struct uri *u)
{
	(void)cut_tail(&s, ':');
	u->user = s;
	return s.n && has_sound_escapes(s) ? 0 : -EINVAL;
}

/* user:password@host:port;params?headers; the user may hold ; and ?, so it is cut off first. */
static int read_sip(struct str s, struct uri *u)
{
	ptrdiff_t at = str_chr(s, '@');

	if (at >= 0) {
		if (read_user(str_head(s, (size_t)at), u) < 0)
			return -EINVAL;
		s = str_skip(s, (size_t)at + 1);
		/* A second '@' would have two readings. */
		if (str_chr(s, '@') >= 0)
			return -EINVAL;
	}
	u->headers = cut_tail(&s, '?');
	u->params = cut_tail(&s, ';');
	return uri_host_port(s, &u->host, &u->port);
}

/* A number and no place (RFC 3966 §3): one with a host would be read as such by the next. */
static int read_tel(struct str s, struct uri *u)
{
	u->params = cut_tail(&s, ';');
	u->user = s;
	if (str_chr(s, '@') >= 0 || str_chr(s, ':') >= 0)
		return -EINVAL;
	return s.n && has_sound_escapes(s) ? 0 : -EINVAL;
}

int uri_parse(struct str text, struct uri *ret)
{
	ptrdiff_t colon = str_chr(text, ':');
	int r = 0;

	if (colon < 0 || !is_scheme(str_head(text, (size_t)colon)) || !has_only_uri_chars(text))
		return -EINVAL;

	struct uri u = { .scheme = scheme_find(str_head(text, (size_t)colon)) };
	struct str rest = str_skip(text, (size_t)colon + 1);
	if (u.scheme == URI_TEL)
		r = read_tel(rest, &u);
	else if (u.scheme != URI_OTHER)
		r = read_sip(rest, &u);
	if (r < 0)
		return r;
	*ret = u;
	return 0;
}

bool uri_param(const struct uri *u, const char *name, struct str *ret)
{
	return lex_param(u->params, str_of(name), ret);
}

static bool is_separator(char c)
{
	return c == '-' || c == '.' || c == '(' || c == ')';
}

/*
 * The user without its parameters, escapes resolved, into out; how many, or -1 if there are more
 * than `max`.
 */
static int resolve_user(struct str user, char *out, int max)
{
	int n = 0;

	(void)cut_tail(&user, ';');
	while (user.n) {
		if (n == max)
			return -1;
		out[n++] = next_octet(&user);
	}
	return n;
}

static bool is_plain_name(struct str s)
{
	bool has_letter = false;

	for (size_t i = 0; i < s.n; i++) {
		has_letter = has_letter || is_letter(s.p[i]);
		if (!is_letter(s.p[i]) && !is_digit(s.p[i]) && !memchr("._-", s.p[i], 3))
			return false;
	}
	return has_letter && s.n <= NUMBER_MAX;
}

/*
 * Takes the visual separators off in place; the new length, or -1 if something else than a number
 * is there.
 */
static int strip_number(char *p, int n)
{
	int kept = 0;

	for (int i = 0; i < n; i++) {
		if (is_digit(p[i]) || p[i] == '*' || p[i] == '#')
			p[kept++] = p[i];
		else if (!is_separator(p[i]) && !(p[i] == '+' && i == 0))
			return -1;
	}
	return kept <= NUMBER_MAX ? kept : -1;
}

int uri_number(const struct uri *u, struct buf *out)
{
	char text[2 * NUMBER_MAX]; /* room for a separator behind each digit */
	int n = resolve_user(u->user, text, sizeof(text));

	if (n < 0)
		return -EINVAL;
	if (!is_plain_name(str_n(text, (size_t)n)))
		n = strip_number(text, n);
	if (n <= 0)
		return -EINVAL;
	buf_put(out, str_n(text, (size_t)n));
	return 0;
}

static bool same_user(struct str a, struct str b)
{
	while (a.n && b.n) {
		if (next_octet(&a) != next_octet(&b))
			return false;
	}
	return a.n == b.n;
}

bool uri_same_place(const struct uri *a, const struct uri *b)
{
	return same_user(a->user, b->user) && str_ieq(a->host, b->host);
}
