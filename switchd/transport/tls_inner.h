/*
 * tls_inner: what tls and tls_link share. For the two alone, which are the only users of OpenSSL's
 * ssl.
 */
#pragma once

#include <openssl/ssl.h>

#include "transport/tls.h"

/* What was read at one time. Links hold the contexts, which hold the certificates. */
struct tls_set {
	SSL_CTX *server, *client;
	struct tls_summary summary;
};

/*
 * Verify callbacks. By the chain: a signer without a list has taken nothing back, and what a list says holds beyond its time. By the
 * key alone: anything that no list has taken back.
 */
int tls_on_chain(int is_good, X509_STORE_CTX *ctx);
int tls_on_key(int is_good, X509_STORE_CTX *ctx);
/* A worker's, until the end of its turn. */
const struct tls_set *tls_current(const struct tls *t);
