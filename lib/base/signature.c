#include "base/signature.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

int signature_check(struct str text, const unsigned char signature[SIGNATURE_BYTES],
		    const unsigned char key[SIGNATURE_KEY])
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, SIGNATURE_KEY);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int r = -ENOMEM;

	if (pkey && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1)
		r = EVP_DigestVerify(ctx, signature, SIGNATURE_BYTES, (const unsigned char *)text.p,
				     text.n) == 1
			    ? 0
			    : -EBADMSG;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return r;
}

int signature_read_key(struct str pem, unsigned char ret[SIGNATURE_KEY])
{
	size_t n = SIGNATURE_KEY;

	if (pem.n == 0 || pem.n > INT_MAX)
		return -EINVAL;

	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
	bool is_read = pkey && EVP_PKEY_get_base_id(pkey) == EVP_PKEY_ED25519 &&
		       EVP_PKEY_get_raw_public_key(pkey, ret, &n) == 1 && n == SIGNATURE_KEY;

	EVP_PKEY_free(pkey);
	BIO_free_all(bio);
	if (!bio)
		return -ENOMEM;
	return is_read ? 0 : -EINVAL;
}
