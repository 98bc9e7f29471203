/*
 * registrar: REGISTER (RFC 3261 §10.3, RFC 3327), for the users that belong to this worker.
 *
 *	REGISTER → steer by its To → the worker of that user: checks, changes its copy, answers
 *	                                 └→ mail: the whole registration → all other workers, main thread (disk)
 *
 * Who may register was decided before (call/): the user is one that proved its password. Belongs to the worker's thread;
 * created and seeded by the main thread before that starts.
 */
#pragma once

#include <stdatomic.h>

#include "base/cleanup.h"
#include "base/loop.h"
#include "phone/binding.h"
#include "sip/txn.h"
#include "transport/transport.h"

/* The shortest lifetime, in seconds, unless what is granted at most is shorter. */
enum { REGISTER_MIN_S = 60 };

struct registrar_stats {               /* one writer, relaxed atomics */
	_Atomic uint64_t contacts;     /* of all users, in this worker's copy */
	_Atomic uint64_t gone;         /* dropped because they did not answer */
	_Atomic uint64_t kept_alive;   /* keep-alives sent */
	_Atomic uint64_t not_kept;     /* contacts that a cycle did not come to */
	_Atomic uint64_t mail_put_off; /* a ring was full: told later */
};

struct registrar_config {
	struct loop *loop;
	struct sip *sip;
	struct transport *transport;
	const struct listen_spec *listen;
	int listen_count;
	int worker, workers;
	/* to[w]: mail to worker w, to[worker]: to the main thread; from[w]: mail of worker w. */
	struct ring *const *to, *const *from;
	struct registrar_stats *stats;
};

struct registrar;

int registrar_create(struct registrar **ret, const struct registrar_config *c);
struct registrar *registrar_free(struct registrar *r);
DEFINE_CLEANUP(struct registrar *, registrar_free);
struct bindings *registrar_bindings(struct registrar *r);

/* A registration of the run before, as registration_pack wrote it; its flow is looked for anew. */
int registrar_seed(struct registrar *r, struct str bytes);

struct register_rules {
	int64_t expire_s, nat_expire_s; /* the longest lifetimes */
	bool replaces; /* a contact of another Call-ID takes the place of what was there; else it is refused */
	enum { NAT_AUTO, NAT_ALWAYS, NAT_NEVER } nat;
};

/* Answers with the SIP code, and whole header lines for it in *extra. */
int registrar_apply(struct registrar *r, const struct msg *m, struct str user,
		    const struct register_rules *rules, struct buf *extra);
/* An operator ends it: nothing if the user is not ours. */
void registrar_forget(struct registrar *r, struct str user);
/*
 * A connection is gone, and with it the contacts that it led to; the worker that had it says so, those that the users belong
 * to hear of it.
 */
void registrar_lost(struct registrar *r, const struct flow *flow);
/* Reads the mail that is there already: who has got his 200 can be called, at every worker, from then on. */
void registrar_catch_up(struct registrar *r);
/* How often contacts are asked whether they are still there. */
void registrar_set_probing(struct registrar *r, int64_t period_s);
/* End of a loop turn: mail leaves. */
void registrar_flush(struct registrar *r);
