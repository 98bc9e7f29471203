#include "vendor/ported.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sip/lex.h"

enum { PLACES = 1 << 14 };

struct answer {
	uint64_t key; /* 0: free */
	ms_t until_ms;
	char digits[PORTED_DIGITS + 1];
};

struct ported {
	struct answer place[PLACES];
};

/* ---- what the server says ---- */

/* Of a sip URI they stand in the user part, of a tel URI behind it; the number itself comes before the first ';'. */
static bool param(const struct uri *u, struct str name, struct str *ret)
{
	ptrdiff_t at = str_chr(u->user, ';');

	if (at >= 0 && lex_param(str_skip(u->user, (size_t)at), name, ret))
		return true;
	return u->scheme == URI_TEL && lex_param(u->params, name, ret);
}

int ported_uri(struct str uri, char ret[PORTED_DIGITS + 1])
{
	struct buf out = buf_fixed(ret, PORTED_DIGITS + 1);
	struct str rn, unused;
	struct uri u;

	if (uri_parse(uri, &u) < 0 || u.scheme == URI_OTHER)
		return -ENOENT;
	if (!param(&u, STR("rn"), &rn))
		return param(&u, STR("npdi"), &unused) ? 0 : -ENODATA;

	const struct uri number = { .scheme = URI_TEL, .user = rn };

	if (uri_number(&number, &out) < 0 || out.n > PORTED_DIGITS)
		return -ENOENT;
	ret[out.n] = '\0';
	return ret[strspn(ret, "0123456789")] ? -ENOENT : 1;
}

static int read_contact(struct str contact, char ret[PORTED_DIGITS + 1])
{
	struct name_addr a;

	return lex_name_addr(contact, &a) < 0 ? -ENOENT : ported_uri(a.uri, ret);
}

int ported_read(const struct msg *m, char ret[PORTED_DIGITS + 1])
{
	struct str value, contact;
	char digits[PORTED_DIGITS + 1];
	int known = m->status == 404 || m->status == 604 ? 0 : -ENOENT;

	if (m->status < 300 || m->status > 399)
		return known;
	for (int n = 0; msg_header(m, "Contact", n, &value); n++) {
		while (lex_split(&value, ',', &contact)) {
			int r = read_contact(contact, digits);

			if (r == 1) {
				memcpy(ret, digits, sizeof(digits));
				return 1;
			}
			known = r == 0 ? 0 : known;
		}
	}
	return known;
}

/* ---- what it said ---- */

int ported_create(struct ported **ret)
{
	struct ported *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	*ret = p;
	return 0;
}

struct ported *ported_free(struct ported *p)
{
	free(p);
	return NULL;
}

bool ported_find(const struct ported *p, uint64_t key, ms_t now_ms, char ret[PORTED_DIGITS + 1])
{
	const struct answer *a = &p->place[key % PLACES];

	if (a->key != (key | 1) || now_ms >= a->until_ms)
		return false;
	memcpy(ret, a->digits, sizeof(a->digits));
	return true;
}

void ported_keep(struct ported *p, uint64_t key, const char *digits, ms_t until_ms)
{
	struct answer *a = &p->place[key % PLACES];

	a->key = key | 1;
	a->until_ms = until_ms;
	(void)str_copy(a->digits, sizeof(a->digits), str_of(digits));
}
