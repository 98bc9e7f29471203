#include "trace/mask.h"

#include "transport/field.h"

static bool is_one_of(struct str name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_ieq(name, str_of(list[i])))
			return true;
	return false;
}

static bool is_secret(struct str name)
{
	static const char *const names[] = { "Authorization", "Proxy-Authorization",
					     "WWW-Authenticate", "Proxy-Authenticate" };

	return is_one_of(name, names, sizeof(names) / sizeof(names[0]));
}

/* Line ends and the blanks of a fold stay: the message keeps its shape. */
static void blot(struct buf *b, struct str what)
{
	char *p = b->p + (what.p - b->p);

	for (size_t i = 0; i < what.n; i++)
		if ((unsigned char)p[i] > ' ')
			p[i] = '*';
}

/* What helps to find an error, and without the response is of no use to anybody else. */
static const char *const harmless[] = { "username", "realm",     "nonce",  "uri",    "algorithm",
					"qop",      "nc",        "cnonce", "opaque", "stale",
					"domain",   "nextnonce", "charset" };
/* The name is left to see that there is one. */
static const char *const proof[] = { "response", "rspauth" };

/* Blanks and the line ends of a fold. */
static struct str bare(struct str s)
{
	while (s.n > 0 && (unsigned char)s.p[0] <= ' ')
		s = str_skip(s, 1);
	while (s.n > 0 && (unsigned char)s.p[s.n - 1] <= ' ')
		s.n--;
	return s;
}

/* The octets up to the next comma outside of quotes; the comma goes, too. */
static struct str next_piece(struct str *rest)
{
	bool is_quoted = false;
	size_t n = 0;

	for (; n < rest->n && (is_quoted || rest->p[n] != ','); n++) {
		if (is_quoted && rest->p[n] == '\\' && n + 1 < rest->n)
			n++;
		else if (rest->p[n] == '"')
			is_quoted = !is_quoted;
	}
	struct str piece = str_head(*rest, n);
	*rest = str_skip(*rest, n < rest->n ? n + 1 : n);
	return piece;
}

/* One quoted text and nothing behind it; or nothing in which another field could hide. */
static bool is_well_formed(struct str value)
{
	if (value.n == 0 || value.p[0] != '"') {
		for (size_t i = 0; i < value.n; i++)
			if ((unsigned char)value.p[i] <= ' ' || value.p[i] == '"' ||
			    value.p[i] == '=')
				return false;
		return value.n > 0;
	}
	for (size_t i = 1; i < value.n; i++) {
		if (value.p[i] == '\\')
			i++;
		else if (value.p[i] == '"')
			return i + 1 == value.n;
	}
	return false;
}

/* name=value, ... of a digest. */
static void mask_fields(struct buf *b, struct str rest)
{
	while (rest.n > 0) {
		struct str piece = next_piece(&rest);
		ptrdiff_t equals = str_chr(piece, '=');
		struct str name = bare(str_head(piece, equals < 0 ? 0 : (size_t)equals));
		struct str value = bare(str_skip(piece, equals < 0 ? 0 : (size_t)equals + 1));

		if (is_one_of(name, harmless, sizeof(harmless) / sizeof(harmless[0])) &&
		    is_well_formed(value))
			continue;
		blot(b, is_one_of(name, proof, sizeof(proof) / sizeof(proof[0])) ? value : piece);
	}
}

/* SCHEME and what belongs to it: the scheme says how, not what. */
static void mask_credentials(struct buf *b, struct str value)
{
	ptrdiff_t space = str_chr(value, ' ');
	struct str behind = space < 0 ? value : str_skip(value, (size_t)space);

	if (space >= 0 && str_ieq(str_head(value, (size_t)space), STR("Digest")))
		mask_fields(b, behind);
	else
		blot(b, behind);
}

/* a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:KEY (RFC 4568). */
static void mask_keys(struct buf *b, struct str body)
{
	struct str line;

	while (str_line(&body, &line)) {
		ptrdiff_t key = str_has_prefix(line, STR("a=crypto:"))
					? str_find(line, STR("inline:"))
					: -1;

		if (key >= 0)
			blot(b, str_skip(line, (size_t)key + 7));
		if (str_has_prefix(line, STR("a=key-mgmt:")))
			blot(b, str_skip(line, 11));
	}
}

void mask_put(struct buf *out, struct str raw)
{
	size_t at = out->n;
	struct field f;

	buf_put(out, raw);
	if (raw.n == 0 || buf_error(out) < 0)
		return;

	struct str rest = str_n(out->p + at, raw.n);
	(void)field_start_line(&rest);
	while (field_next(&rest, &f)) {
		if (str_ieq(f.name, STR("Authentication-Info")))
			mask_fields(out, f.value);
		else if (is_secret(f.name))
			mask_credentials(out, f.value);
	}
	mask_keys(out, rest);
}
