/*
 * digest_field: what both sides of digest authentication share: the fields of a challenge or of
 * credentials, and the response computed from them (RFC 7616 §3.4).
 */
#pragma once

#include "base/str.h"

#define DIGEST_FIELDS(X)          \
	X(REALM, "realm")         \
	X(NONCE, "nonce")         \
	X(USERNAME, "username")   \
	X(URI, "uri")             \
	X(RESPONSE, "response")   \
	X(ALGORITHM, "algorithm") \
	X(CNONCE, "cnonce")       \
	X(QOP, "qop")             \
	X(NC, "nc")               \
	X(OPAQUE, "opaque")

enum digest_field {
#define DIGEST_FIELD_ENUM(name, text) DIGEST_##name,
	DIGEST_FIELDS(DIGEST_FIELD_ENUM)
#undef DIGEST_FIELD_ENUM
		DIGEST_FIELD_COUNT
};

/*
 * Quotes taken off, escapes kept (RFC 7616 hashes them as they are); p is NULL for a field that is
 * not there.
 */
struct digest_fields {
	struct str f[DIGEST_FIELD_COUNT];
};

/*
 * Of 'Digest realm="x", ...'. 0; -EINVAL for another scheme, a broken list or a field that is there
 * twice.
 */
int digest_fields(struct str header, struct digest_fields *ret);

enum digest_algorithm { DIGEST_SHA256, DIGEST_MD5, DIGEST_ALGORITHM_COUNT };
const char *digest_algorithm_name(enum digest_algorithm a);
/* DIGEST_MD5 if none is named; DIGEST_ALGORITHM_COUNT for one that we do not know. */
enum digest_algorithm digest_algorithm_of(const struct digest_fields *f);

/* What a response proves. Without qop, nc and cnonce do not count (RFC 2069). */
struct digest_proof {
	struct str user, realm, password, method, uri, nonce, nc, cnonce, qop;
};

enum { DIGEST_HEX = 65 }; /* SHA-256 in hex, and the NUL */
/* 0 or -ENOMEM. */
int digest_compute(enum digest_algorithm a, const struct digest_proof *p, char ret[DIGEST_HEX]);
