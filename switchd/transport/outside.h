/*
 * outside: the addresses that peers know us by where we stand behind a 1:1 NAT.
 *
 * Sockets have addresses of the inside; what we write of ourselves (Via, Contact, SDP ...) has to be an address that its reader can
 * send to. Who has a private address is inside with us, or came over a tunnel, and is told the socket's own; so is this machine.
 */
#pragma once

#include "base/addr.h"

/* Without ports; one not set: of that family we are not behind NAT. All 0 at the start. */
struct outside {
	struct addr v4, v6;
};

/* -EINVAL: none that a peer on the Internet could send to; -EEXIST: there is one of that family. */
int outside_add(struct outside *o, const struct addr *a);
/* Ours, as this peer has to see it: the port stays. o may be NULL. */
void outside_show(const struct outside *o, const struct addr *peer, struct addr *ours);
/* Is it the host that the outside knows us by? o may be NULL. */
bool outside_has(const struct outside *o, const struct addr *a);
