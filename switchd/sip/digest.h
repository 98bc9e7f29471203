/*
 * digest: challenges and their verification, RFC 7616 and 8760 (MD5, SHA-256; qop=auth), without
 * state but for the counts of nonces.
 *
 * A nonce is time, worker, tries and a random number under an HMAC with the source address (security.md
 * A3): 60 s of life unless said otherwise, usable from the address it was given to, each nc once. One struct digest
 * belongs to one worker, and a nonce to the worker that gave it: another one says DIGEST_STALE.
 */
#pragma once

#include <stdbool.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "sip/msg.h"

struct digest;

/* secret: 32 bytes shared by the workers of this run. 0 or -ENOMEM. */
int digest_create(struct digest **ret, const unsigned char secret[32], int worker);
struct digest *digest_free(struct digest *d);
DEFINE_CLEANUP(struct digest *, digest_free);

enum digest_verdict {
	DIGEST_OK,
	DIGEST_NONE,  /* no credentials for this realm: challenge */
	DIGEST_STALE, /* nonce expired, of another run or worker, or nc seen: challenge, stale */
	DIGEST_WRONG, /* with a nonce of ours, so the source is real: may be counted against it */
};

/* The algorithms of a challenge, in the order of its lines. */
enum digest_offer { OFFER_SHA256_MD5, OFFER_MD5_SHA256, OFFER_SHA256, OFFER_MD5, OFFER_COUNT };

struct digest_ask {
	struct str realm;
	const struct addr *source;
	int64_t now_ms;
	int64_t life_ms; /* of nonces; 0: NONCE_LIFE_MS, at most NONCE_LIFE_MAX_MS */
	enum digest_offer offer;
	int tries; /* wrong answers before this challenge, which its nonce carries */
	/* of verification */
	struct str password; /* p NULL: a dummy is verified against */
	bool is_md5_refused; /* else an answer may be by either, whatever was on offer */
	bool is_legacy;      /* an answer without qop (RFC 2069) will do, once a nonce */
};

/* Writes WWW-/Proxy-Authenticate lines, one for each algorithm on offer. code 401 or 407. */
void digest_put_challenge(struct digest *d, int code, const struct digest_ask *a, bool stale,
			  struct buf *out);
/*
 * Name in the credentials for this realm, to look up the password; false if there are none. Escapes
 * are kept: a name with one is nobody's.
 */
bool digest_user(const struct msg *m, struct str realm, struct str *ret);
/*
 * Takes the same time whether user and password exist or not: password.p NULL verifies against a
 * dummy and says DIGEST_WRONG. Source is compared without its port. ret_tries (may be NULL): wrong
 * answers before this one; valid for DIGEST_WRONG.
 */
enum digest_verdict digest_verify(struct digest *d, const struct msg *m, const struct digest_ask *a,
				  int *ret_tries);

/*
 * Client side: the Authorization/Proxy-Authorization line that answers a 401/407 of a vendor.
 * realm: the configured one, or empty to take the challenge's. 0; -ENOENT no challenge that we can
 * answer or a different realm; -ENOMEM. *ret_realm is the realm answered to, a slice of the
 * challenge.
 */
int digest_answer(const struct msg *challenge, enum method method, struct str uri, struct str user,
		  struct str password, struct str realm, struct buf *out, struct str *ret_realm);
