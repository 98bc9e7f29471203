/*
 * tls: the switch's certificates and whom it trusts, from the files of one folder.
 *
 *	NAME.crt   a certificate and those above it up to the root's, PEM
 *	NAME.key   its private key, PEM without a password
 *	ca.pem     whom to believe about the certificates of others; without it the system's store
 *	crl.pem    what these have taken back: their lists, PEM; without it nothing is
 *
 * The certificate "switch" is shown to whoever names no other host (SNI) and is ours towards vendors
 * that ask for one; it, or the first by name, must be there. TLS 1.2 and 1.3 with forward secrecy
 * alone; no renegotiation, no compression, no resumption: each connection has a full handshake and
 * a fixed cost.
 *
 * The main thread creates, loads again and frees; workers take a link each for their connections
 * (tls_link.h). Connections keep what they began with when everything is loaded anew.
 */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct tls;

enum { TLS_CERTS_MAX = 64 };

struct tls_summary {
	int certificates;
	int64_t expires_s; /* wall time, of the one that expires first */
	char first[64];    /* its name */
	int lists;         /* of revoked certificates */
	int64_t lists_end_s; /* wall time by which the first of them says that there is a newer one; 0: none says */
};

/* 0, or negative errno with *err naming the file. The folder's name is copied. */
int tls_create(struct tls **ret, const char *folder, struct err *err);
/*
 * Reads the files again, for connections from now on; after an error everything stays as it was.
 * Waits for the workers' turns (snapshot_wait).
 */
int tls_load(struct tls *t, struct err *err);
void tls_summary(const struct tls *t, struct tls_summary *ret);
/* After the workers are gone. */
struct tls *tls_free(struct tls *t);
DEFINE_CLEANUP(struct tls *, tls_free);
