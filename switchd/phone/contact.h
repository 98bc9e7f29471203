/*
 * contact: what a REGISTER asks for, read from its headers (RFC 3261 §10.2, RFC 3327).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "phone/binding.h"
#include "sip/msg.h"

struct contact {
	struct str text; /* its URI, as written */
	struct uri uri;
	int64_t expires; /* asked for, in seconds; -1: nothing said */
	int q;           /* in thousandths */
};

struct contacts {
	bool is_all; /* "*": all of them go */
	int count;
	struct contact contact[BINDINGS_MAX];
};

/* 0; a SIP code: 400 for what is malformed or too long, 416 for a URI that is no SIP URI. Slices of m. */
int contacts_read(const struct msg *m, struct contacts *ret);
/* The values of Path, joined as a Route. 0, or 400 for what is too long or no route. */
int contacts_path(const struct msg *m, struct buf *out);
/* RFC 3261 §19.1.4, as far as two contacts of one user can differ. */
bool contact_is_same(const struct uri *a, const struct uri *b);
/* Does the message come from elsewhere than it says? Then only its source leads back to it. */
bool contact_is_nat(const struct msg *m, const struct uri *contact);
