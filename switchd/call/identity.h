/*
 * identity: what a vendor is told about who calls: From, To and the identity headers of its INVITE (features.md 1.4; RFC 3323,
 * 3325, 5806, 7044, 8224).
 *
 * Read from the caller's INVITE, which lives as long as vendors are hunted for. What the caller says about itself is passed on only
 * where its gateway is believed, and only to a vendor whose gateway asks for it; nothing is by default.
 */
#pragma once

#include "call/inner.h"

/* For headers that pass as they are: the names in routing-gateway pass_headers. 0, or -EINVAL with *err. */
int identity_compile(struct str list, unsigned *ret, struct err *err);
/* The name-addr of From; sets leg->is_anonymous. here: our host and port, as the vendor sees them. */
void identity_put_from(struct leg *l, const struct vendor *v, const char *here, struct buf *out);
/* The name-addr of To. there: the vendor's host and port. */
void identity_put_to(const struct leg *l, const char *there, struct buf *out);
/* The other header lines of the INVITE. */
void identity_put_headers(const struct leg *l, const struct vendor *v, struct buf *out);
/* What the record says was sent as the caller. */
const char *identity_caller_sent(const struct leg *l);
/* A vendor's answer may name the number that it reached. */
void identity_answered(const struct leg *l, const struct msg *m);
