#include "certificate.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/cleanup.h"

/* Fixed: a machine may have no clock yet when it is set up. */
static const char FROM[] = "20240101000000Z", UNTIL[] = "20491231235959Z";

static void put_names(const struct setup *s, struct buf *out)
{
	struct str name = answers_str(s->answers, ANSWER_HOSTNAME);
	char text[ADDR_TEXT];
	struct addr a;

	buf_printf(out, "DNS:%.*s", STR_ARG(name));
	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		if (machine_address(&s->machine, s->answers, is_v6, &a) == 0)
			buf_printf(out, ",IP:%s", addr_host_text(&a, text));
	}
	if (answers_is_set(s->answers, ANSWER_PUBLIC_ADDRESS)) {
		struct str seen = answers_str(s->answers, ANSWER_PUBLIC_ADDRESS);

		buf_printf(out, ",IP:%.*s", STR_ARG(seen));
	}
}

static bool add_extension(X509 *c, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool ok = e && X509_add_ext(c, e, -1) == 1;

	X509_EXTENSION_free(e);
	return ok;
}

static bool fill(X509 *c, EVP_PKEY *key, struct str name, const char *names)
{
	X509_NAME *subject = X509_get_subject_name(c);
	ASN1_INTEGER *serial = X509_get_serialNumber(c);
	BIGNUM *random = BN_new();
	bool ok = random && BN_rand(random, 120, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
		  BN_to_ASN1_INTEGER(random, serial);

	BN_free(random);
	return ok && X509_set_version(c, X509_VERSION_3) == 1 &&
	       ASN1_TIME_set_string(X509_getm_notBefore(c), FROM) == 1 &&
	       ASN1_TIME_set_string(X509_getm_notAfter(c), UNTIL) == 1 &&
	       X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
					  (const unsigned char *)name.p, (int)name.n, -1, 0) == 1 &&
	       X509_set_issuer_name(c, subject) == 1 && X509_set_pubkey(c, key) == 1 &&
	       add_extension(c, NID_subject_alt_name, names) &&
	       add_extension(c, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(c, NID_ext_key_usage, "serverAuth,clientAuth") &&
	       X509_sign(c, key, EVP_sha256()) > 0;
}

static bool take(BIO *from, struct buf *out)
{
	const char *p;
	long n = BIO_get_mem_data(from, &p);

	buf_put(out, str_n(p, n > 0 ? (size_t)n : 0));
	return n > 0;
}

static bool print(X509 *c, EVP_PKEY *key, struct buf *crt, struct buf *secret)
{
	BIO *to = BIO_new(BIO_s_mem());
	bool ok = to && PEM_write_bio_X509(to, c) == 1 && take(to, crt);

	BIO_free(to);
	to = BIO_new(BIO_s_secmem());
	ok = ok && to && PEM_write_bio_PKCS8PrivateKey(to, key, NULL, NULL, 0, NULL, NULL) == 1 &&
	     take(to, secret);
	BIO_free(to);
	return ok;
}

static int generate(const struct setup *s, struct buf *crt, struct buf *secret)
{
	CLEANUP(buf_done) struct buf names = BUF_INIT;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *c = X509_new();
	bool ok;

	put_names(s, &names);
	ok = buf_cstr(&names) && key && c &&
	     fill(c, key, answers_str(s->answers, ANSWER_HOSTNAME), names.p) &&
	     print(c, key, crt, secret) && !buf_error(crt) && !buf_error(secret);
	X509_free(c);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return ok ? 0 : -EIO;
}

int certificate_make(const struct setup *s, struct err *err)
{
	CLEANUP(buf_done) struct buf crt = BUF_INIT;
	CLEANUP(buf_done) struct buf secret = BUF_INIT;

	if (answers_int(s->answers, ANSWER_SIP_TLS_PORT) == 0 ||
	    place_has(&s->place, CERTIFICATE_PATH))
		return 0;

	int r = generate(s, &crt, &secret);

	/* The key first: who finds a certificate finds its key. */
	if (r == 0)
		r = place_write(&s->place, CERTIFICATE_KEY, 0640, buf_str(&secret));
	if (r >= 0)
		r = place_write(&s->place, CERTIFICATE_PATH, 0644, buf_str(&crt));
	if (secret.p)
		OPENSSL_cleanse(secret.p, secret.n);
	if (r < 0)
		return SETUP_FAIL(err, r, "cannot make the certificate for SIP by TLS");
	tell_say(&s->tell, TELL_CHANGE, "made %s", CERTIFICATE_PATH);
	return 0;
}
