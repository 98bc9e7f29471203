#include <errno.h>
#include <stdio.h>

#include "base/rand.h"
#include "sip/digest.h"
#include "sip/digest_field.h"
#include "sip/lex.h"

enum { CNONCE = 8 };

/*
 * A challenge without qop is of RFC 2069 and answered in its way; one that offers only auth-int
 * cannot be answered.
 */
static bool offers_auth(struct str qop)
{
	struct str option;

	if (!qop.p)
		return true;
	while (str_split(&qop, ',', &option)) {
		if (str_ieq(option, STR("auth")))
			return true;
	}
	return false;
}

/* The best challenge that we can answer: the first of the strongest algorithm. */
static bool choose(const struct msg *m, struct str realm, struct digest_fields *ret)
{
	const char *header = m->status == 407 ? "Proxy-Authenticate" : "WWW-Authenticate";
	enum digest_algorithm best = DIGEST_ALGORITHM_COUNT;
	struct digest_fields f;
	struct str value;

	for (int n = 0; msg_header(m, header, n, &value); n++) {
		if (digest_fields(value, &f) < 0 || !f.f[DIGEST_REALM].p || !f.f[DIGEST_NONCE].n)
			continue;
		if (realm.n && !str_eq(realm, f.f[DIGEST_REALM]))
			continue;
		if (digest_algorithm_of(&f) < best && offers_auth(f.f[DIGEST_QOP])) {
			best = digest_algorithm_of(&f);
			*ret = f;
		}
	}
	return best != DIGEST_ALGORITHM_COUNT;
}

/* name="value"; the value's escapes are made already, or it has none. */
static void put_field(const char *name, struct str value, struct buf *out)
{
	buf_putz(out, name);
	buf_put(out, STR("=\""));
	buf_put(out, value);
	buf_putc(out, '"');
}

static void put_credentials(const struct msg *m, const struct digest_fields *f,
			    const struct digest_proof *p, const char *response, struct buf *out)
{
	buf_putz(out, m->status == 407 ? "Proxy-Authorization" : "Authorization");
	put_field(": Digest username", p->user, out);
	put_field(", realm", p->realm, out);
	put_field(", nonce", p->nonce, out);
	put_field(", uri", p->uri, out);
	put_field(", response", str_of(response), out);
	if (f->f[DIGEST_ALGORITHM].p) {
		buf_put(out, STR(", algorithm="));
		buf_putz(out, digest_algorithm_name(digest_algorithm_of(f)));
	}
	if (p->qop.n) {
		put_field(", cnonce", p->cnonce, out);
		buf_put(out, STR(", qop=auth, nc="));
		buf_put(out, p->nc);
	}
	if (f->f[DIGEST_OPAQUE].p)
		put_field(", opaque", f->f[DIGEST_OPAQUE], out);
	buf_put(out, STR("\r\n"));
}

/* A user name goes between quotes as it is, so that what is hashed is what is written. */
static bool is_writable(struct str s)
{
	return !str_has_control(s) && str_chr(s, '"') < 0 && str_chr(s, '\\') < 0;
}

int digest_answer(const struct msg *challenge, enum method method, struct str uri, struct str user,
		  struct str password, struct str realm, struct buf *out, struct str *ret_realm)
{
	char cnonce[2 * CNONCE + 1], response[DIGEST_HEX];
	struct digest_fields f;

	if (!is_writable(user) || !is_writable(uri) || !choose(challenge, realm, &f))
		return -ENOENT;
	(void)snprintf(cnonce, sizeof(cnonce), "%016llx", (unsigned long long)rand_u64());

	struct digest_proof proof = {
		.user = user,
		.realm = f.f[DIGEST_REALM],
		.password = password,
		.method = str_of(method_name(method)),
		.uri = uri,
		.nonce = f.f[DIGEST_NONCE],
		.nc = STR("00000001"),
		.cnonce = str_of(cnonce),
		.qop = f.f[DIGEST_QOP].p ? STR("auth") : STR(""),
	};
	int r = digest_compute(digest_algorithm_of(&f), &proof, response);
	if (r < 0)
		return r;
	put_credentials(challenge, &f, &proof, response, out);
	if (buf_error(out))
		return buf_error(out);
	*ret_realm = f.f[DIGEST_REALM];
	return 0;
}
