/* signature: Ed25519 (RFC 8032), by which licences and updates are known to be ours. */
#pragma once

#include "base/str.h"

enum { SIGNATURE_KEY = 32, SIGNATURE_BYTES = 64 };

/* 0; -EBADMSG: not signed with this key, or not this text; -ENOMEM. */
int signature_check(struct str text, const unsigned char signature[SIGNATURE_BYTES],
		    const unsigned char key[SIGNATURE_KEY]);
/* The public key in a PEM file's content. 0; -EINVAL: no such key in it; -ENOMEM. */
int signature_read_key(struct str pem, unsigned char ret[SIGNATURE_KEY]);
