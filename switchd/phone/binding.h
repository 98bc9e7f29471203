/*
 * binding: who is registered where. Every worker has a whole copy, because a call may land on any of them.
 *
 * A registration is all the contacts of one user (a phone's number, or the digest user of a gateway). The worker that a
 * user belongs to (steer_user) alone changes it, and mails it whole to the others and to the main thread, which keeps it
 * on disk (registrar.h). So copies never disagree about an order, and a mail that comes late is put right by the next.
 *
 * Belongs to one thread. Times are monotonic milliseconds and passed in.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/htab.h"
#include "base/list.h"
#include "base/wheel.h"
#include "transport/flow.h"

enum {
	BINDINGS_MAX = 16, /* contacts of one user (security.md P1) */
	USER_MAX = 64,
	/* What is longer is refused. */
	CONTACT_MAX = 512,
	PATH_MAX_BYTES = 1024,
	CALL_ID_MAX = 256,
	AGENT_MAX = 64, /* cut off */
	LISTENER_MAX = 80,
};

struct client_txn;

struct binding {
	struct list node; /* in registration->contacts, newest first */
	struct list nat_node;
	struct hnode by_host;
	struct registration *registration;
	char *contact; /* its URI */
	char *path;    /* Route value of the way to it; NULL: none */
	char *call_id;
	char *agent; /* NULL: it says nothing */
	char *local; /* our listener, "udp:192.0.2.1:5060" */
	uint32_t cseq;
	int q; /* in thousandths */
	bool is_nat;
	ms_t expires, since;
	struct addr source; /* where it registered from */
	struct flow flow;   /* the way to it */
	/* of the worker it belongs to: is it still there? (probe.h) */
	struct timer probe;
	struct client_txn *asking;
};

struct registration {
	struct hnode node;
	char user[USER_MAX + 1];
	struct list contacts;
	int count;
	/* of the worker it belongs to */
	struct list owing; /* some thread has not been told yet */
	uint64_t owed;     /* which */
	struct timer expiry;
	void *registrar;
};

struct bindings {
	struct htab users, hosts;
	struct list nat;     /* UDP contacts behind NAT */
	struct list *cursor; /* of the keep-alive: the next one; &nat at the end */
	size_t count;
	void (*on_drop)(void *ctx, struct binding *b); /* before one is freed; may be NULL */
	void *ctx;
};

/* 0 or -ENOMEM. */
int bindings_init(struct bindings *t);
void bindings_done(struct bindings *t);

/* NULL if there is none. One without contacts may be there for a moment. */
struct registration *bindings_find(const struct bindings *t, struct str user);
/* Made if there is none; NULL for want of memory or a name that is too long. */
struct registration *bindings_get(struct bindings *t, struct str user);
void bindings_forget(struct bindings *t, struct registration *r);
/* Has anybody registered from this address? */
bool bindings_know(const struct bindings *t, const struct addr *host);

/* Sets the peer of its flow: along a path, behind NAT and on a connection the source, else the address of its Contact. */
void binding_way(struct binding *b);
/* Is that very connection the way to it? */
bool binding_is_on(const struct binding *b, const struct flow *flow);
/* Takes b over (its texts are set) and makes it the newest. */
void binding_put(struct bindings *t, struct registration *r, struct binding *b);
/* Leaves every table and is freed. */
void binding_drop(struct bindings *t, struct binding *b);
void binding_free(struct binding *b);
/* The n-th that is alive, best first: higher q, then newest. NULL: there are fewer. */
struct binding *binding_nth(const struct registration *r, int n, ms_t now);

/* The whole registration as bytes for another thread; and back: what r had is replaced. */
void registration_pack(const struct registration *r, struct buf *out);
int registration_unpack(struct bindings *t, struct str bytes);
/* The same without a table: each contact in turn, as a loan. user is a slice of bytes. */
typedef int unpack_fn(void *ctx, struct str user, const struct binding *b);
int registration_each(struct str bytes, struct str *ret_user, unpack_fn *on_contact, void *ctx);
