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

/* A worker's, until the end of its turn. */
const struct tls_set *tls_current(const struct tls *t);
