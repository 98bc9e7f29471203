#include "sip/digest.h"

#include <errno.h>
#include <stdlib.h>

#include "base/secret.h"
#include "sip/digest_field.h"
#include "sip/digest_nonce.h"

struct digest {
	struct nonces *nonces;
};

int digest_create(struct digest **ret, const unsigned char secret[32], int worker)
{
	struct digest *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	if (nonces_create(&d->nonces, secret, worker) < 0) {
		free(d);
		return -ENOMEM;
	}
	*ret = d;
	return 0;
}

struct digest *digest_free(struct digest *d)
{
	if (d)
		nonces_free(d->nonces);
	free(d);
	return NULL;
}

/* ---- challenge ---- */

static const struct {
	size_t count;
	enum digest_algorithm algorithm[DIGEST_ALGORITHM_COUNT];
} offers[OFFER_COUNT] = {
	[OFFER_SHA256_MD5] = { 2, { DIGEST_SHA256, DIGEST_MD5 } },
	[OFFER_MD5_SHA256] = { 2, { DIGEST_MD5, DIGEST_SHA256 } },
	[OFFER_SHA256] = { 1, { DIGEST_SHA256 } },
	[OFFER_MD5] = { 1, { DIGEST_MD5 } },
};

void digest_put_challenge(struct digest *d, int code, const struct digest_ask *ask, bool stale,
			  struct buf *out)
{
	char nonce[NONCE_TEXT];

	nonces_mint(d->nonces, ask->source, ask->tries, ask->now_ms, nonce);
	for (size_t i = 0; i < offers[ask->offer].count; i++) {
		enum digest_algorithm a = offers[ask->offer].algorithm[i];

		buf_putz(out, code == 407 ? "Proxy-Authenticate" : "WWW-Authenticate");
		buf_put(out, STR(": Digest realm="));
		buf_put_quoted(out, ask->realm);
		buf_put(out, STR(", nonce=\""));
		buf_putz(out, nonce);
		buf_put(out, STR("\", algorithm="));
		buf_putz(out, digest_algorithm_name(a));
		buf_put(out, STR(", qop=\"auth\""));
		if (stale)
			buf_put(out, STR(", stale=true"));
		buf_put(out, STR("\r\n"));
	}
}

/* ---- credentials ---- */

static bool find_in(const struct msg *m, const char *header, struct str realm,
		    struct digest_fields *ret)
{
	struct str value;

	for (int n = 0; msg_header(m, header, n, &value); n++) {
		if (digest_fields(value, ret) == 0 && str_eq(ret->f[DIGEST_REALM], realm))
			return true;
	}
	return false;
}

static bool find(const struct msg *m, struct str realm, struct digest_fields *ret)
{
	return find_in(m, "Authorization", realm, ret) ||
	       find_in(m, "Proxy-Authorization", realm, ret);
}

bool digest_user(const struct msg *m, struct str realm, struct str *ret)
{
	struct digest_fields fields;

	if (!find(m, realm, &fields) || !fields.f[DIGEST_USERNAME].p)
		return false;
	*ret = fields.f[DIGEST_USERNAME];
	return true;
}

static int read_nc(struct str s, uint32_t *ret)
{
	uint32_t nc = 0;

	if (s.n != 8)
		return -EINVAL;
	for (size_t i = 0; i < s.n; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *at = memchr(digits, s.p[i] >= 'A' ? s.p[i] | 0x20 : s.p[i], 16);

		if (!at)
			return -EINVAL;
		nc = nc << 4 | (uint32_t)(at - digits);
	}
	*ret = nc;
	return nc ? 0 : -EINVAL;
}

/* The uri field and the Request-URI: proxies and phones may add a port or parameters to either. */
static bool is_about(const struct msg *m, struct str uri)
{
	struct uri u;

	if (str_eq(uri, m->uri_text))
		return true;
	return uri_parse(uri, &u) == 0 && u.scheme != URI_OTHER && uri_same_place(&u, &m->uri);
}

/* All but the hash: what the fields have to be for it to count. */
static bool is_well_formed(const struct msg *m, const struct digest_fields *f,
			   const struct digest_ask *ask, uint32_t *ret_nc)
{
	enum digest_algorithm a = digest_algorithm_of(f);

	if (a == DIGEST_ALGORITHM_COUNT || !is_about(m, f->f[DIGEST_URI]) ||
	    (a == DIGEST_MD5 && ask->is_md5_refused))
		return false;
	if (ask->is_legacy && !f->f[DIGEST_QOP].p) {
		*ret_nc = 1; /* it counts nothing: each nonce serves once */
		return true;
	}
	return str_eq(f->f[DIGEST_QOP], STR("auth")) && f->f[DIGEST_CNONCE].n &&
	       read_nc(f->f[DIGEST_NC], ret_nc) == 0;
}

/* Is the response the right one for that password? The hash is computed in any case. */
static bool is_right(const struct msg *m, const struct digest_fields *f, struct str password)
{
	char expected[DIGEST_HEX];
	enum digest_algorithm a = digest_algorithm_of(f);
	struct digest_proof proof = {
		.user = f->f[DIGEST_USERNAME],
		.realm = f->f[DIGEST_REALM],
		.password = password.p ? password : STR("a dummy, as long as others"),
		.method = m->method_text,
		.uri = f->f[DIGEST_URI],
		.nonce = f->f[DIGEST_NONCE],
		.nc = f->f[DIGEST_NC],
		.cnonce = f->f[DIGEST_CNONCE],
		.qop = f->f[DIGEST_QOP].p ? STR("auth") : STR(""),
	};

	if (digest_compute(a == DIGEST_SHA256 ? a : DIGEST_MD5, &proof, expected) < 0)
		return false;
	bool is_equal = secret_eq(str_of(expected), f->f[DIGEST_RESPONSE]);
	secret_wipe(expected, sizeof(expected));
	return is_equal && password.p;
}

enum digest_verdict digest_verify(struct digest *d, const struct msg *m, const struct digest_ask *a,
				  int *ret_tries)
{
	struct digest_fields fields;
	struct nonce nonce;
	uint32_t nc = 0;

	if (!find(m, a->realm, &fields))
		return DIGEST_NONE;

	int64_t life_ms = a->life_ms > 0 ? a->life_ms : NONCE_LIFE_MS;
	bool is_fresh = nonces_check(d->nonces, fields.f[DIGEST_NONCE], a->source,
				     life_ms < NONCE_LIFE_MAX_MS ? life_ms : NONCE_LIFE_MAX_MS,
				     a->now_ms, &nonce);
	bool is_sound = is_well_formed(m, &fields, a, &nc);
	bool is_known = is_right(m, &fields, a->password);

	if (ret_tries)
		*ret_tries = nonce.tries;

	if (!is_fresh)
		return DIGEST_STALE;
	if (!is_sound || !is_known)
		return DIGEST_WRONG;
	return nonces_use(d->nonces, &nonce, nc, a->now_ms) ? DIGEST_OK : DIGEST_STALE;
}
