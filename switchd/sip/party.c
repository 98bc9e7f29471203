#include "sip/party.h"

#include <string.h>

enum { USER_MAX = 64, DISPLAY_MAX = 128 };

bool party_read(const struct msg *m, const char *header, int n, struct party *ret)
{
	struct str value, element;

	for (int i = 0; i < PARTY_MAX && msg_header(m, header, i, &value); i++) {
		while (lex_split(&value, ',', &element)) {
			if (n-- > 0)
				continue;
			return lex_name_addr(element, &ret->addr) == 0 &&
			       uri_parse(str_trim(ret->addr.uri), &ret->uri) == 0 &&
			       ret->uri.scheme != URI_OTHER;
		}
	}
	return false;
}

bool party_is_anonymous(const struct uri *from)
{
	return str_ieq(from->user, STR("anonymous")) ||
	       str_ieq(from->host, STR("anonymous.invalid"));
}

void party_put_user(struct str user, struct buf *out)
{
	for (size_t i = 0; i < user.n; i++) {
		if (user.p[i] == '#')
			buf_put(out, STR("%23"));
		else
			buf_putc(out, user.p[i]);
	}
}

/* ---- writing for another peer ---- */

/* Letters, digits, escapes and what else RFC 3261 §25.1 allows there: a tel URI, read generously, may hold more. */
static bool is_made_of(struct str s, const char *marks)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool is_plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');

		if (!is_plain && (c == '\0' || !strchr(marks, c)))
			return false;
	}
	return true;
}

static bool is_listed(struct str name, const char *list)
{
	struct str rest = str_of(list), item;

	while (str_split(&rest, ',', &item)) {
		if (str_ieq(item, name))
			return true;
	}
	return false;
}

static struct str name_of(struct str piece)
{
	ptrdiff_t equals = str_chr(piece, '=');

	return equals < 0 ? piece : str_trim(str_head(piece, (size_t)equals));
}

static bool is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7f)
			return false;
	}
	return true;
}

/* They are sound, so they can stand in another header as they are. */
static void put_params(struct str params, const char *list, struct buf *out)
{
	struct str piece;

	while (lex_split(&params, ';', &piece)) {
		if (!is_listed(name_of(piece), list) || !is_ascii(piece))
			continue;
		buf_putc(out, ';');
		buf_put(out, piece);
	}
}

/* Of what a History-Info's URI carries behind '?', its reason and its privacy (RFC 7044 §5). */
static void put_uri_headers(struct str headers, struct buf *out)
{
	struct str piece;
	char mark = '?';

	while (str_split(&headers, '&', &piece)) {
		if (!is_listed(name_of(piece), "Reason,Privacy") ||
		    !is_made_of(piece, "%-_.!~*'()[]/?:+$="))
			continue;
		buf_putc(out, mark);
		buf_put(out, piece);
		mark = '&';
	}
}

/* The user without its parameters, which may name a host (phone-context). */
static struct str bare_user(const struct uri *u)
{
	ptrdiff_t semicolon = str_chr(u->user, ';');

	return semicolon < 0 ? u->user : str_head(u->user, (size_t)semicolon);
}

/* A global tel number says all by itself; any other needs a host. */
static void put_uri(const struct uri *u, const char *host, struct buf *out)
{
	struct str user = bare_user(u), value;

	if (u->scheme == URI_TEL && user.p[0] == '+') {
		buf_put(out, STR("<tel:"));
		buf_put(out, user);
		buf_putc(out, '>');
		return;
	}
	buf_put(out, STR("<sip:"));
	party_put_user(user, out);
	buf_putc(out, '@');
	buf_putz(out, host);
	if (u->scheme == URI_TEL || (uri_param(u, "user", &value) && str_ieq(value, STR("phone"))))
		buf_put(out, STR(";user=phone"));
	if (uri_param(u, "cause", &value) && str_is_digits(value)) { /* RFC 4458 */
		buf_put(out, STR(";cause="));
		buf_put(out, value);
	}
	put_uri_headers(u->headers, out);
	buf_putc(out, '>');
}

int party_pass(const struct msg *m, const char *header, const char *params, const char *host,
	       int max, struct buf *out)
{
	struct party p;
	int written = 0;

	for (int i = 0; i < PARTY_MAX && written < max; i++) {
		struct str user;

		if (!party_read(m, header, i, &p))
			continue;
		user = bare_user(&p.uri);
		if (user.n == 0 || user.n > USER_MAX || party_is_anonymous(&p.uri) ||
		    !is_made_of(user, "%-_.!~*'()&=+$,?/#"))
			continue;
		buf_putz(out, header);
		buf_put(out, STR(": "));
		if (p.addr.display.n && p.addr.display.n <= DISPLAY_MAX) {
			msg_put_display(p.addr.display, out);
			buf_putc(out, ' ');
		}
		put_uri(&p.uri, host, out);
		put_params(p.addr.params, params, out);
		buf_put(out, STR("\r\n"));
		written++;
	}
	return written;
}

int party_pass_raw(const struct msg *m, const char *header, int max, struct buf *out)
{
	struct str value;
	int written = 0;

	for (int i = 0; i < max && msg_header(m, header, i, &value); i++) {
		if (!is_ascii(value))
			continue;
		buf_putz(out, header);
		buf_put(out, STR(": "));
		buf_put(out, value);
		buf_put(out, STR("\r\n"));
		written++;
	}
	return written;
}

/* ---- Privacy ---- */

static const struct {
	struct str name;
	unsigned bit;
} privacies[] = {
	{ STR_INIT("header"), PRIVACY_HEADER },     { STR_INIT("session"), PRIVACY_SESSION },
	{ STR_INIT("user"), PRIVACY_USER },         { STR_INIT("id"), PRIVACY_ID },
	{ STR_INIT("history"), PRIVACY_HISTORY },   { STR_INIT("none"), PRIVACY_NONE },
	{ STR_INIT("critical"), PRIVACY_CRITICAL },
};

enum { PRIVACIES = sizeof(privacies) / sizeof(privacies[0]) };

static unsigned privacy_of(struct str token)
{
	for (int i = 0; i < PRIVACIES; i++) {
		if (str_ieq(token, privacies[i].name))
			return privacies[i].bit;
	}
	return 0;
}

/* Values are separated by ';'; some peers write ','. */
unsigned party_privacy(const struct msg *m)
{
	struct str value, list, token;
	unsigned set = 0;

	for (int i = 0; i < PARTY_MAX && msg_header(m, "Privacy", i, &value); i++) {
		while (str_split(&value, ';', &list)) {
			while (str_split(&list, ',', &token))
				set |= privacy_of(str_trim(token));
		}
	}
	return set;
}

void party_put_privacy(unsigned set, struct buf *out)
{
	const char *before = "Privacy: ";

	if (set == 0)
		return;
	for (int i = 0; i < PRIVACIES; i++) {
		if (!(set & privacies[i].bit))
			continue;
		buf_putz(out, before);
		buf_put(out, privacies[i].name);
		before = ";";
	}
	buf_put(out, STR("\r\n"));
}
