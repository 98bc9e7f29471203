/*
 * tls_policy: whom a TLS connection of ours believes, as a gateway's settings say; and a table of
 * them, in which each has a number that fits into a flow.
 *
 * A table belongs to one worker. It only grows: by one for each different setting that was ever
 * used, since open connections point into it.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/htab.h"
#include "base/str.h"

enum tls_check {
	TLS_CHECK_NAME, /* a chain up to somebody trusted, in time, and the name */
	TLS_CHECK_PIN,  /* one of these keys, and nothing else */
	TLS_CHECK_NONE,
};

enum { TLS_PIN = 32 }; /* SHA-256 of a public key (SubjectPublicKeyInfo) */

struct tls_policy {
	enum tls_check check;
	struct str name; /* what the certificate is for, asked for by SNI; empty: the address */
	struct str pins; /* TLS_PIN octets each */
};

struct tls_policies {
	struct htab by_content;
	struct tls_policy_entry **entry; /* [number - 1] */
	uint32_t count, room;
};

/* A list of pins in hex, comma separated, appended as octets. 0 or -EINVAL. */
int tls_pins_parse(struct str list, struct buf *out);

/* 0 or -ENOMEM. */
int tls_policies_init(struct tls_policies *t);
void tls_policies_done(struct tls_policies *t);
/* The number of a policy with this content, from 1 on; 0 for want of memory. */
uint32_t tls_policy_number(struct tls_policies *t, const struct tls_policy *p);
/* Of number 0, and of any other one that is not there, TLS_CHECK_NAME of the address. */
const struct tls_policy *tls_policy_at(const struct tls_policies *t, uint32_t number);
