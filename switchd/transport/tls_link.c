#include "transport/tls_link.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/htab.h"
#include "transport/tls_inner.h"

enum { RECORD_MAX = SSL3_RT_MAX_PLAIN_LENGTH };

struct tls_link {
	SSL *ssl;
	const struct tls_policy *policy; /* NULL: we are the server */
	uint32_t wants;
	bool is_open; /* after the handshake, and before any error */
	bool is_over;
	int end; /* ... and what the next read says of it */
	uint64_t cert;
};

static int new_link(struct tls_link **ret, SSL_CTX *ctx, int fd)
{
	struct tls_link *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->ssl = SSL_new(ctx);
	if (!l->ssl || SSL_set_fd(l->ssl, fd) != 1) {
		ERR_clear_error();
		(void)tls_link_free(l);
		return -ENOMEM;
	}
	*ret = l;
	return 0;
}

int tls_link_accept(struct tls_link **ret, struct tls *t, int fd)
{
	int r = new_link(ret, tls_current(t)->server, fd);

	if (r == 0)
		SSL_set_accept_state((*ret)->ssl);
	return r;
}

/* A name that is an address, or none: the certificate must be for that address. */
static bool expect_name(SSL *ssl, const struct addr *peer, const char *name)
{
	char text[ADDR_TEXT];
	struct addr a;

	if (!name[0])
		name = addr_host_text(peer, text);
	if (addr_parse(str_of(name), 1, &a) == 0)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, name) == 1;
}

static bool ask_for_name(SSL *ssl, const char *name)
{
	struct addr a;

	/* RFC 6066 §3: addresses are not asked for. */
	return !name[0] || addr_parse(str_of(name), 1, &a) == 0 ||
	       SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
			(void *)(uintptr_t)name) == 1;
}

int tls_link_connect(struct tls_link **ret, struct tls *t, int fd, const struct addr *peer,
		     const struct tls_policy *policy)
{
	const char *name = policy->name.n ? policy->name.p : ""; /* a NUL stands behind it */
	struct tls_link *l;
	int r = new_link(&l, tls_current(t)->client, fd);

	if (r < 0)
		return r;
	l->policy = policy;
	SSL_set_connect_state(l->ssl);
	if (policy->check == TLS_CHECK_NAME)
		SSL_set_verify(l->ssl, SSL_VERIFY_PEER, tls_on_chain);
	else
		SSL_set_verify(l->ssl, SSL_VERIFY_PEER, tls_on_key);
	if (!ask_for_name(l->ssl, name) ||
	    (policy->check == TLS_CHECK_NAME && !expect_name(l->ssl, peer, name))) {
		ERR_clear_error();
		(void)tls_link_free(l);
		return -EKEYREJECTED;
	}
	*ret = l;
	return 0;
}

struct tls_link *tls_link_free(struct tls_link *l)
{
	if (!l)
		return NULL;
	if (l->is_open)
		(void)SSL_shutdown(l->ssl);
	SSL_free(l->ssl);
	ERR_clear_error();
	free(l);
	return NULL;
}

/* ---- the handshake ---- */

static int verdict_of(long result)
{
	switch (result) {
	case X509_V_OK:
		return -EPROTO;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return -EKEYEXPIRED;
	case X509_V_ERR_CERT_REVOKED:
		return -EKEYREVOKED;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return -EKEYREJECTED;
	default:
		return -ENOKEY;
	}
}

static int protocol_error(const struct tls_link *l)
{
	switch (ERR_GET_REASON(ERR_peek_error())) {
	case SSL_R_UNEXPECTED_EOF_WHILE_READING:
		return -ECONNRESET;
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_HTTP_REQUEST:
	case SSL_R_HTTPS_PROXY_REQUEST:
	case SSL_R_RECORD_LENGTH_MISMATCH:
		return -EBADMSG;
	case SSL_R_CERTIFICATE_VERIFY_FAILED:
		return verdict_of(SSL_get_verify_result(l->ssl));
	default:
		return -EPROTO;
	}
}

/* What an operation that returned r, not more than 0, came to: 0 closed, or negative errno. */
static int outcome(struct tls_link *l, int r, int system_error)
{
	l->wants = 0;
	switch (SSL_get_error(l->ssl, r)) {
	case SSL_ERROR_WANT_READ:
		l->wants = EPOLLIN;
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		l->wants = EPOLLOUT;
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		l->is_open = false;
		return system_error > 0 ? -system_error : -ECONNRESET;
	default:
		l->is_open = false;
		return protocol_error(l);
	}
}

static int pin_of(const X509 *c, unsigned char pin[TLS_PIN])
{
	unsigned char *der = NULL;
	size_t size = TLS_PIN;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c), &der);
	int ok = n > 0 && EVP_Q_digest(NULL, "SHA256", NULL, der, (size_t)n, pin, &size);

	OPENSSL_free(der);
	return ok ? 0 : -ENOMEM;
}

static bool is_pinned(struct str pins, const unsigned char pin[TLS_PIN])
{
	for (size_t i = 0; i + TLS_PIN <= pins.n; i += TLS_PIN) {
		if (memcmp(pins.p + i, pin, TLS_PIN) == 0)
			return true;
	}
	return false;
}

/* Who it is, and whether that is who was meant. */
static int meet(struct tls_link *l)
{
	const X509 *c = SSL_get0_peer_certificate(l->ssl);
	unsigned char pin[TLS_PIN];

	if (c && pin_of(c, pin) < 0)
		return -ENOMEM;
	if (l->policy && l->policy->check == TLS_CHECK_PIN &&
	    (!c || !is_pinned(l->policy->pins, pin)))
		return -EKEYREJECTED;
	l->cert = c ? htab_hash(str_n(pin, TLS_PIN)) : 0;
	l->is_open = true;
	return 0;
}

int tls_link_shake(struct tls_link *l)
{
	ERR_clear_error();
	errno = 0;

	int r = SSL_do_handshake(l->ssl);

	if (r == 1)
		return meet(l);
	r = outcome(l, r, errno);
	ERR_clear_error();
	return r == 0 ? -ECONNRESET : r;
}

/* ---- bytes ---- */

/* Whole records, so that nothing is left in OpenSSL that epoll does not know of. */
ssize_t tls_link_read(struct tls_link *l, char *to, size_t n)
{
	size_t have = 0;

	if (l->is_over)
		return l->end;
	l->wants = 0;
	while (have + RECORD_MAX <= n) {
		ERR_clear_error();
		errno = 0;

		int r = SSL_read(l->ssl, to + have, (int)(n - have));

		if (r > 0) {
			have += (size_t)r;
			continue;
		}
		r = outcome(l, r, errno);
		ERR_clear_error();
		l->is_over = r != -EAGAIN;
		l->end = r;
		return have > 0 ? (ssize_t)have : r;
	}
	return (ssize_t)have;
}

ssize_t tls_link_write(struct tls_link *l, const char *p, size_t n)
{
	ERR_clear_error();
	errno = 0;

	int r = SSL_write(l->ssl, p, (int)n);

	if (r > 0)
		return r;

	uint32_t wants = l->wants;

	r = outcome(l, r, errno);
	ERR_clear_error();
	l->wants = wants;
	return r == 0 ? -ECONNRESET : r;
}

bool tls_link_is_over(const struct tls_link *l)
{
	return l->is_over;
}

uint32_t tls_link_wants(const struct tls_link *l)
{
	return l->wants;
}

uint64_t tls_link_cert(const struct tls_link *l)
{
	return l->cert;
}
