/*
 * sender: requests of the switch's own outside every call: OPTIONS to vendors and phones, REGISTER. Belongs to one worker.
 */
#pragma once

#include "sip/dialog.h"
#include "sip/txn.h"

struct sender {
	struct loop *loop;
	struct transport *transport;
	struct sip *sip;
	int worker;
};

/* How a vendor is reached; policy: whom TLS has to believe there (transport_secure). */
struct means {
	enum proto proto;
	uint32_t policy;
};

/* The way there, and our address as that peer sees it. 0 or negative errno. */
int sender_find(const struct sender *s, struct means by, const struct addr *peer,
		struct flow *ret_flow, struct addr *ret_local);
/* Mints the branch, writes and sends. 0 or negative errno: no transaction then. */
int sender_send(const struct sender *s, struct dialog *d, const struct draft *draft,
		const struct client_owner *o, void *ctx, struct client_txn **ret);
/* A dialog's start for such a request: fresh Call-ID and tag. 0 or -ENOMEM. */
int sender_begin(const struct sender *s, struct dialog *d, struct str local, struct str remote,
		 struct str target, const struct flow *flow);
/* An OPTIONS of its own. 0 or negative errno: no transaction then. */
int sender_options(const struct sender *s, struct means by, const struct addr *peer,
		   const struct client_owner *o, void *ctx, struct client_txn **ret);
