/*
 * digest_nonce: nonces that carry their own proof, and the counts of those that were used.
 *
 * 30 bytes in base64, 40 characters: time in ms (5), worker (1), tries (1), random (11), and 12 bytes of an
 * HMAC-SHA256 over these and the source's address. Nothing is kept of a nonce until somebody used
 * it with the right password; then its highest nc is, for as long as it lives. The table is
 * bounded: when it is full its oldest entry goes, and with it every nonce given out up to then, so
 * that nothing can be used twice.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/str.h"

enum {
	NONCE_TEXT = 41,
	NONCE_ID = 18,
	NONCE_LIFE_MS = 60000,
	NONCE_LIFE_MAX_MS = 300000,
	NONCES_MAX = 65536
};

struct nonces;

/* A nonce of ours that is alive, as nonces_check read it. */
struct nonce {
	unsigned char id[NONCE_ID];
	int64_t minted_ms;
	int tries; /* wrong answers that led to it */
};

int nonces_create(struct nonces **ret, const unsigned char secret[32], int worker);
struct nonces *nonces_free(struct nonces *n);
DEFINE_CLEANUP(struct nonces *, nonces_free);

void nonces_mint(struct nonces *n, const struct addr *source, int tries, int64_t now_ms,
		 char ret[NONCE_TEXT]);
/* Did this worker give it to that source, less than its life (NONCE_LIFE_MAX_MS at most) ago? */
bool nonces_check(struct nonces *n, struct str text, const struct addr *source, int64_t life_ms,
		  int64_t now_ms, struct nonce *ret);
/* Notes nc as used; false if it was, or a higher one, or if there is no memory to note it. */
bool nonces_use(struct nonces *n, const struct nonce *nonce, uint32_t nc, int64_t now_ms);
