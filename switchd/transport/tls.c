#include "transport/tls.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/snapshot.h"
#include "transport/tls_inner.h"

enum { FILE_MAX = 256 * 1024, LISTS_MAX = 16 * 1024 * 1024, PEER_CHAIN_MAX = 32 * 1024 };

static const char ACCEPTED[] = "a folder with NAME.crt and NAME.key in PEM; switch.crt is shown "
			       "to whoever names no host";

struct tls {
	char *folder;
	void *set; /* struct tls_set *, through base/snapshot */
};

struct identity {
	X509 *leaf;
	EVP_PKEY *key;
	STACK_OF(X509) * chain;
};

/* Belongs to a server's context, and goes with its last connection. */
struct identities {
	int count;
	struct identity item[TLS_CERTS_MAX];
};

static int fail(struct err *err, const char *path, const char *what)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return err_set(err, ERR_BAD_VALUE, "tls", str_of(path), ACCEPTED, "%s%s%s", what,
		       why ? ": " : "", why ? why : "");
}

/* ---- files ---- */

static int no_password(char *to, int size, int is_writing, void *ctx)
{
	(void)to;
	(void)size;
	(void)is_writing;
	(void)ctx;
	return -1;
}

static int open_pem(const char *path, size_t most, BIO **ret, struct buf *bytes, struct err *err)
{
	int r = file_read(path, most, bytes, err);

	if (r < 0)
		return r;
	*ret = BIO_new_mem_buf(bytes->p, (int)bytes->n);
	return *ret ? 0 : -ENOMEM;
}

static int read_certificates(BIO *from, struct identity *i)
{
	X509 *c;

	i->leaf = PEM_read_bio_X509(from, NULL, no_password, NULL);
	i->chain = sk_X509_new_null();
	if (!i->leaf || !i->chain)
		return -EINVAL;
	while ((c = PEM_read_bio_X509(from, NULL, no_password, NULL))) {
		if (!sk_X509_push(i->chain, c)) {
			X509_free(c);
			return -ENOMEM;
		}
	}
	ERR_clear_error(); /* the end of the file is no error */
	return 0;
}

static int load_certificate(const char *path, struct identity *i, struct err *err)
{
	CLEANUP(buf_done) struct buf bytes = BUF_INIT;
	BIO *from = NULL;
	int r = open_pem(path, FILE_MAX, &from, &bytes, err);

	if (r == 0 && read_certificates(from, i) < 0)
		r = fail(err, path, "no certificate in PEM");
	BIO_free(from);
	return r;
}

static int load_key(const char *path, struct identity *i, struct err *err)
{
	CLEANUP(buf_done) struct buf bytes = BUF_INIT;
	BIO *from = NULL;
	int r = open_pem(path, FILE_MAX, &from, &bytes, err);

	if (r == 0) {
		i->key = PEM_read_bio_PrivateKey(from, NULL, no_password, NULL);
		if (!i->key)
			r = fail(err, path, "no private key in PEM without a password");
		else if (X509_check_private_key(i->leaf, i->key) != 1)
			r = fail(err, path, "the key is not that of the certificate");
	}
	BIO_free(from);
	if (bytes.p)
		OPENSSL_cleanse(bytes.p, bytes.n);
	return r;
}

static void identity_done(struct identity *i)
{
	X509_free(i->leaf);
	EVP_PKEY_free(i->key);
	sk_X509_pop_free(i->chain, X509_free);
	*i = (struct identity){ 0 };
}

static struct identities *identities_free(struct identities *all)
{
	for (int i = 0; all && i < all->count; i++)
		identity_done(&all->item[i]);
	free(all);
	return NULL;
}
DEFINE_CLEANUP(struct identities *, identities_free);

static void note_expiry(struct tls_summary *s, const X509 *c, const char *name)
{
	struct tm tm;
	int64_t at;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(c), &tm) != 1)
		return;
	at = timegm(&tm);
	if (s->certificates++ > 0 && at >= s->expires_s)
		return;
	s->expires_s = at;
	(void)snprintf(s->first, sizeof(s->first), "%s", name);
}

static int load_identity(const char *folder, const char *name, struct identities *all,
			 struct tls_summary *s, struct err *err)
{
	struct identity *i = &all->item[all->count];
	char path[PATH_MAX];
	int r;

	if (all->count == TLS_CERTS_MAX)
		return err_set(err, ERR_BAD_VALUE, "tls", str_of(folder), ACCEPTED,
			       "more than %d certificates", TLS_CERTS_MAX);
	all->count++;
	(void)snprintf(path, sizeof(path), "%s/%s.crt", folder, name);
	r = load_certificate(path, i, err);
	(void)snprintf(path, sizeof(path), "%s/%s.key", folder, name);
	if (r == 0)
		r = load_key(path, i, err);
	if (r == 0)
		note_expiry(s, i->leaf, name);
	return r;
}

/* "switch" first, then by name. */
static int in_order(const struct dirent **a, const struct dirent **b)
{
	bool x = strcmp((*a)->d_name, "switch.crt") == 0,
	     y = strcmp((*b)->d_name, "switch.crt") == 0;

	return x != y ? (int)y - (int)x : strcmp((*a)->d_name, (*b)->d_name);
}

static int is_certificate(const struct dirent *d)
{
	return d->d_name[0] != '.' && str_has_suffix(str_of(d->d_name), STR(".crt"));
}

static int load_identities(const char *folder, struct identities *all, struct tls_summary *s,
			   struct err *err)
{
	struct dirent **file = NULL;
	int n = scandir(folder, &file, is_certificate, in_order), r = n < 0 ? -errno : 0;

	for (int i = 0; i < n; i++) {
		file[i]->d_name[strlen(file[i]->d_name) - 4] = '\0';
		if (r == 0)
			r = load_identity(folder, file[i]->d_name, all, s, err);
		free(file[i]);
	}
	free(file);
	if (n <= 0)
		return err_set(err, ERR_NOT_FOUND, "tls", str_of(folder), ACCEPTED,
			       "there is no certificate in the folder");
	return r;
}

/* ---- what was taken back ---- */

static void note_list(struct tls_summary *s, const X509_CRL *list)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(list);
	struct tm tm;

	s->lists++;
	if (!next || ASN1_TIME_to_tm(next, &tm) != 1)
		return;

	int64_t at = timegm(&tm);

	if (s->lists_end_s == 0 || at < s->lists_end_s)
		s->lists_end_s = at;
}

/* Every list of the file; at least one, and nothing but lists. 0 or -EINVAL. */
static int add_lists(struct tls_set *s, BIO *from)
{
	X509_STORE *of_client = SSL_CTX_get_cert_store(s->client);
	X509_STORE *of_server = SSL_CTX_get_cert_store(s->server);
	X509_CRL *list;

	while ((list = PEM_read_bio_X509_CRL(from, NULL, no_password, NULL))) {
		int ok = X509_STORE_add_crl(of_client, list) == 1 &&
			 X509_STORE_add_crl(of_server, list) == 1;

		note_list(&s->summary, list);
		X509_CRL_free(list);
		if (!ok)
			return -EINVAL;
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE || s->summary.lists == 0)
		return -EINVAL;
	ERR_clear_error(); /* the end of the file is no error */
	(void)X509_STORE_set_flags(of_client, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	(void)X509_STORE_set_flags(of_server, X509_V_FLAG_CRL_CHECK);
	return 0;
}

static int take_lists(struct tls_set *s, const char *folder, struct err *err)
{
	CLEANUP(buf_done) struct buf bytes = BUF_INIT;
	char path[PATH_MAX];
	BIO *from = NULL;
	int r;

	(void)snprintf(path, sizeof(path), "%s/crl.pem", folder);
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	r = open_pem(path, LISTS_MAX, &from, &bytes, err);
	if (r == 0 && add_lists(s, from) < 0)
		r = fail(err, path, "it is no list of revoked certificates in PEM");
	BIO_free(from);
	return r;
}

int tls_on_chain(int is_good, X509_STORE_CTX *ctx)
{
	int error = X509_STORE_CTX_get_error(ctx);

	if (is_good ||
	    (error != X509_V_ERR_UNABLE_TO_GET_CRL && error != X509_V_ERR_CRL_HAS_EXPIRED))
		return is_good;
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return 1;
}

int tls_on_key(int is_good, X509_STORE_CTX *ctx)
{
	return is_good || X509_STORE_CTX_get_error(ctx) != X509_V_ERR_CERT_REVOKED;
}

/* ---- contexts ---- */

static void free_ex_data(void *parent, void *p, CRYPTO_EX_DATA *ad, int index, long argl,
			 void *argp)
{
	(void)parent;
	(void)ad;
	(void)index;
	(void)argl;
	(void)argp;
	(void)identities_free(p);
}

static int ex_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_ex_data);
	return index;
}

/* The one that is for the host that the peer asked for, else the first. */
static const struct identity *choose(const struct identities *all, const char *host)
{
	for (int i = 0; host && i < all->count; i++) {
		if (X509_check_host(all->item[i].leaf, host, 0, 0, NULL) == 1)
			return &all->item[i];
	}
	return &all->item[0];
}

static int on_certificate(SSL *ssl, void *ctx)
{
	const struct identities *all = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), ex_index());
	const struct identity *i = choose(all, SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));

	(void)ctx;
	return SSL_use_cert_and_key(ssl, i->leaf, i->key, i->chain, 1);
}

static SSL_CTX *new_context(const SSL_METHOD *method)
{
	SSL_CTX *c = SSL_CTX_new(method);

	if (!c)
		return NULL;
	(void)SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
	(void)SSL_CTX_set_options(c, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
					     SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
	(void)SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_num_tickets(c, 0);
	(void)SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_RELEASE_BUFFERS);
	/* A peer that sends nothing but records without data gets one a turn, not all our time. */
	(void)SSL_CTX_clear_mode(c, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_max_cert_list(c, PEER_CHAIN_MAX);
	if (SSL_CTX_set_cipher_list(c, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1)
		return c;
	SSL_CTX_free(c);
	return NULL;
}

static int make_client(struct tls_set *s, const struct identity *own, const char *folder,
		       struct err *err)
{
	char path[PATH_MAX];
	FILE *there;

	s->client = new_context(TLS_client_method());
	if (!s->client ||
	    SSL_CTX_use_cert_and_key(s->client, own->leaf, own->key, own->chain, 1) != 1)
		return fail(err, folder, "the certificate cannot be used");
	(void)snprintf(path, sizeof(path), "%s/ca.pem", folder);
	there = fopen(path, "re");
	if (!there && errno == ENOENT) {
		(void)SSL_CTX_set_default_verify_paths(s->client);
		ERR_clear_error();
		return 0;
	}
	if (there)
		(void)fclose(there);
	if (SSL_CTX_load_verify_file(s->client, path) != 1)
		return fail(err, path, "no certificates to trust in it");
	return 0;
}

static int make_server(struct tls_set *s, struct identities *all, const char *folder,
		       struct err *err)
{
	s->server = new_context(TLS_server_method());
	if (!s->server || SSL_CTX_set_ex_data(s->server, ex_index(), all) != 1) {
		(void)identities_free(all);
		return fail(err, folder, "no TLS");
	}
	SSL_CTX_set_cert_cb(s->server, on_certificate, NULL);
	/* Who shows a certificate proves that its key is his; a gateway's tls_pin says whose it is. */
	SSL_CTX_set_verify(s->server, SSL_VERIFY_PEER, tls_on_key);
	return 0;
}

static struct tls_set *set_free(struct tls_set *s)
{
	if (!s)
		return NULL;
	SSL_CTX_free(s->server);
	SSL_CTX_free(s->client);
	free(s);
	return NULL;
}
DEFINE_CLEANUP(struct tls_set *, set_free);

static int read_set(const char *folder, struct tls_set **ret, struct err *err)
{
	CLEANUP(set_free) struct tls_set *s = calloc(1, sizeof(*s));
	CLEANUP(identities_free) struct identities *all = calloc(1, sizeof(*all));

	if (!s || !all)
		return -ENOMEM;

	int r = load_identities(folder, all, &s->summary, err);

	if (r == 0)
		r = make_client(s, &all->item[0], folder, err);
	if (r == 0)
		r = make_server(s, TAKE(all), folder, err);
	if (r == 0)
		r = take_lists(s, folder, err);
	if (r < 0)
		return r;
	*ret = TAKE(s);
	return 0;
}

int tls_create(struct tls **ret, const char *folder, struct err *err)
{
	CLEANUP(tls_free) struct tls *t = calloc(1, sizeof(*t));
	struct tls_set *set;

	if (!t || !(t->folder = strdup(folder)))
		return -ENOMEM;

	int r = read_set(folder, &set, err);

	if (r < 0)
		return r;
	t->set = set;
	*ret = TAKE(t);
	return 0;
}

int tls_load(struct tls *t, struct err *err)
{
	struct tls_set *next, *old;
	int r = read_set(t->folder, &next, err);

	if (r < 0)
		return r;
	old = snapshot_swap(&t->set, next);
	snapshot_wait();
	(void)set_free(old);
	return 0;
}

const struct tls_set *tls_current(const struct tls *t)
{
	return snapshot_read(&t->set);
}

void tls_summary(const struct tls *t, struct tls_summary *ret)
{
	*ret = tls_current(t)->summary;
}

struct tls *tls_free(struct tls *t)
{
	if (!t)
		return NULL;
	(void)set_free(t->set);
	free(t->folder);
	free(t);
	return NULL;
}
