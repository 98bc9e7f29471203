/*
 * way: by which connection a peer is reached, and whom TLS has to believe there.
 */
#pragma once

#include "call/inner.h"

/* 0; -EAFNOSUPPORT: we do not listen on such a thing; -ENOMEM. */
int way_to_vendor(struct worker *w, const struct vendor *v, const struct addr *peer,
		  struct flow *ret);
/* The Request-URI of an INVITE to that vendor: the number as sent, at host. */
void way_put_target(const struct leg *l, const struct vendor *v, const char *host, struct buf *out);
/*
 * Where a request to a vendor goes that is no call's leg: its Request-URI and its To, for a number at that address. 0 or -ENOMEM.
 */
int way_put_peer(const struct vendor *v, struct str user, const struct addr *peer,
		 struct buf *target, struct buf *remote);
/*
 * The way to the Contact of a dialog, for streams whose connection is gone; whom to believe stays as
 * d->flow says.
 */
int way_to_target(struct worker *w, const struct dialog *d, struct flow *ret);
/* The leg goes that way from now on, by our address there. */
void way_take(struct leg *l, const struct flow *f);
/* Whom a new connection to this gateway has to believe. Harmless if it is gone from the world. */
void way_believe(struct worker *w, enum side side, const char *gateway, struct flow *f);
/*
 * RFC 3261 §18.1.1: a request of n octets to this leg has to go by TCP, as its gateway allows; the
 * leg's flow and local address are that way's then, and the request is to be written anew.
 */
bool way_by_tcp(struct leg *l, size_t n);
/* ... and back, if the peer's host refused it: the same section. */
bool way_back_to_udp(struct leg *l, int error);
