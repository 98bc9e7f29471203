#include "trace/mask.h"

#include "transport/field.h"

static const char *const secret[] = { "Authorization", "Proxy-Authorization", "WWW-Authenticate",
				      "Proxy-Authenticate", "Authentication-Info" };

static bool is_secret(struct str name)
{
	for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++)
		if (str_ieq(name, str_of(secret[i])))
			return true;
	return false;
}

/* Line ends and the blanks of a fold stay: the message keeps its shape. */
static void blot(struct buf *b, struct str what)
{
	char *p = b->p + (what.p - b->p);

	for (size_t i = 0; i < what.n; i++)
		if ((unsigned char)p[i] > ' ')
			p[i] = '*';
}

/* The scheme says how, not what. */
static struct str behind_scheme(struct str value)
{
	ptrdiff_t space = str_chr(value, ' ');

	return space < 0 ? value : str_skip(value, (size_t)space);
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
	while (field_next(&rest, &f))
		if (is_secret(f.name))
			blot(out, str_ieq(f.name, STR("Authentication-Info"))
					  ? f.value
					  : behind_scheme(f.value));
	mask_keys(out, rest);
}
