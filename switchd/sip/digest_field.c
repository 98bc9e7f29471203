#include "sip/digest_field.h"

#include <errno.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/secret.h"
#include "sip/lex.h"

static const char *const field_names[] = {
#define DIGEST_FIELD_NAME(name, text) text,
	DIGEST_FIELDS(DIGEST_FIELD_NAME)
#undef DIGEST_FIELD_NAME
};

static const char *const algorithm_names[] = { "SHA-256", "MD5" };

/* Without quotes: nothing that would mean something between them, where our answer puts it. */
static bool is_bare(struct str value)
{
	return value.n > 0 && str_chr(value, '"') < 0 && str_chr(value, '\\') < 0;
}

static int read_field(struct str piece, struct digest_fields *ret)
{
	ptrdiff_t equals = str_chr(piece, '=');
	struct str name, value;

	if (equals <= 0)
		return -EINVAL;
	name = str_trim(str_head(piece, (size_t)equals));
	value = str_trim(str_skip(piece, (size_t)equals + 1));
	if (!lex_quoted(value, &value) && !is_bare(value))
		return -EINVAL;
	for (int i = 0; i < DIGEST_FIELD_COUNT; i++) {
		if (!str_ieq(name, str_of(field_names[i])))
			continue;
		if (ret->f[i].p)
			return -EINVAL;
		ret->f[i] = value;
	}
	return 0;
}

int digest_fields(struct str header, struct digest_fields *ret)
{
	ptrdiff_t blank = str_chr(header, ' ');
	struct digest_fields fields = { 0 };
	struct str piece;

	if (blank < 0 || !str_ieq(str_head(header, (size_t)blank), STR("Digest")))
		return -EINVAL;

	struct str rest = str_skip(header, (size_t)blank + 1);
	while (lex_split(&rest, ',', &piece)) {
		/* Some send a comma too many. */
		if (piece.n && read_field(piece, &fields) < 0)
			return -EINVAL;
	}
	*ret = fields;
	return 0;
}

const char *digest_algorithm_name(enum digest_algorithm a)
{
	return algorithm_names[a];
}

enum digest_algorithm digest_algorithm_of(const struct digest_fields *f)
{
	struct str name = f->f[DIGEST_ALGORITHM];
	int a = 0;

	if (!name.p)
		return DIGEST_MD5;
	while (a < DIGEST_ALGORITHM_COUNT && !str_ieq(name, str_of(algorithm_names[a])))
		a++;
	return (enum digest_algorithm)a;
}

/* Hex of the hash of the parts joined by ':'. */
static int hash(EVP_MD_CTX *ctx, const EVP_MD *md, const struct str *parts, int n,
		char ret[DIGEST_HEX])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int size = 0;
	bool ok = EVP_DigestInit_ex(ctx, md, NULL) == 1;

	for (int i = 0; i < n; i++) {
		if (i)
			ok = ok && EVP_DigestUpdate(ctx, ":", 1) == 1;
		ok = ok && EVP_DigestUpdate(ctx, parts[i].p, parts[i].n) == 1;
	}
	if (!ok || EVP_DigestFinal_ex(ctx, sum, &size) != 1)
		return -ENOMEM;

	struct buf hex = buf_fixed(ret, DIGEST_HEX);
	buf_put_hex(&hex, sum, size);
	return buf_cstr(&hex) ? 0 : -ENOMEM;
}

/* H(A1), H(A2), and the response from both. */
static int compute(EVP_MD_CTX *ctx, const EVP_MD *md, const struct digest_proof *p,
		   char ret[DIGEST_HEX])
{
	char ha1[DIGEST_HEX], ha2[DIGEST_HEX];
	const struct str a1[] = { p->user, p->realm, p->password };
	const struct str a2[] = { p->method, p->uri };
	int r = hash(ctx, md, a1, 3, ha1);

	if (r == 0)
		r = hash(ctx, md, a2, 2, ha2);
	if (r == 0 && p->qop.n == 0) {
		const struct str all[] = { str_of(ha1), p->nonce, str_of(ha2) };

		r = hash(ctx, md, all, 3, ret);
	} else if (r == 0) {
		const struct str all[] = { str_of(ha1), p->nonce, p->nc,
					   p->cnonce,   p->qop,   str_of(ha2) };

		r = hash(ctx, md, all, 6, ret);
	}
	secret_wipe(ha1, sizeof(ha1));
	return r;
}

int digest_compute(enum digest_algorithm a, const struct digest_proof *p, char ret[DIGEST_HEX])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (!ctx)
		return -ENOMEM;

	int r = compute(ctx, a == DIGEST_SHA256 ? EVP_sha256() : EVP_md5(), p, ret);
	EVP_MD_CTX_free(ctx);
	return r;
}
