#include "key.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/signature.h"

enum { PEM_MAX = 65536 };

DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);

/* A free function that returns nothing does not suit CLEANUP's (void). */
static void bio_done(BIO **b)
{
	BIO_free_all(*b);
}

static struct str content(BIO *b)
{
	char *p = NULL;
	long n = BIO_get_mem_data(b, &p);

	return str_n(p, n > 0 ? (size_t)n : 0);
}

static int no_key(struct err *err, const char *path)
{
	return err_set(err, ERR_BAD_VALUE, "key", str_of(path), "an Ed25519 key in a PEM file",
		       "there is no such key in the file");
}

static int write_pair(EVP_PKEY *pkey, const char *dir, struct err *err)
{
	__attribute__((cleanup(bio_done))) BIO *secret = BIO_new(BIO_s_mem());
	__attribute__((cleanup(bio_done))) BIO *open = BIO_new(BIO_s_mem());
	CLEANUP(buf_done) struct buf pem = BUF_INIT;
	CLEANUP(buf_done) struct buf pub = BUF_INIT;

	buf_printf(&pem, "%s/licence.pem", dir);
	buf_printf(&pub, "%s/licence.pub", dir);
	const char *pem_path = buf_cstr(&pem), *pub_path = buf_cstr(&pub);
	if (!secret || !open || !pem_path || !pub_path ||
	    PEM_write_bio_PrivateKey(secret, pkey, NULL, NULL, 0, NULL, NULL) != 1 ||
	    PEM_write_bio_PUBKEY(open, pkey) != 1)
		return -ENOMEM;
	int r = file_write(pem_path, content(secret), 0600, false, err);
	return r == 0 ? file_write(pub_path, content(open), 0644, false, err) : r;
}

int key_generate(const char *dir, struct err *err)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	return pkey ? write_pair(pkey, dir, err) : -ENOMEM;
}

static EVP_PKEY *read_private(const char *path, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;

	if (file_read(path, PEM_MAX, &text, err) < 0)
		return NULL;
	__attribute__((cleanup(bio_done))) BIO *b = BIO_new_mem_buf(text.p, (int)text.n);
	EVP_PKEY *pkey = b ? PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : NULL;

	secret_wipe(text.p, text.n);
	if (pkey && EVP_PKEY_get_base_id(pkey) != EVP_PKEY_ED25519) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	if (!pkey)
		(void)no_key(err, path);
	return pkey;
}

int key_sign(const char *path, struct licence *l, struct err *err)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *pkey = read_private(path, err);
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	size_t n = sizeof(l->signature);

	if (!pkey)
		return -EINVAL;
	licence_put_canonical(l, &text);
	EVP_MD_CTX *ctx = buf_error(&text) == 0 ? EVP_MD_CTX_new() : NULL;
	bool is_signed =
		ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
		EVP_DigestSign(ctx, l->signature, &n, (const unsigned char *)text.p, text.n) == 1;
	EVP_MD_CTX_free(ctx);
	return is_signed ? 0 : -ENOMEM;
}

int key_read_public(const char *path, unsigned char ret[LICENCE_KEY], struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int r = file_read(path, PEM_MAX, &text, err);

	if (r < 0)
		return -EINVAL;
	r = signature_read_key(buf_str(&text), ret);
	return r == -EINVAL ? no_key(err, path) : r;
}
