/*
 * transport: one worker's sockets. Bytes in and out; knows addresses, not what SIP means.
 *
 * UDP: a SO_REUSEPORT socket a worker and listening address, read and written in batches. TCP and TLS:
 * each worker accepts; a connection is read and written by its owner alone. A message that steer
 * gives to another worker goes there through a ring with its flow; what is to be sent on another
 * worker's connection goes to that worker the same way.
 *
 * Limits: security.md P1, T1, T2; connections are counted over all workers of the process. Belongs
 * to its worker's thread; creation belongs to the main thread before it starts, worker 0 first: it
 * is the one that notices that an address is already in use.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/str.h"
#include "transport/flow.h"
#include "transport/outside.h"
#include "transport/tls_policy.h"

struct tls;
struct transport;

struct listen_spec {
	enum proto proto;
	bool is_bare; /* no port was given: that of addr is the protocol's own */
	struct addr addr;
};

/* "udp:192.0.2.1:5060", "tls:192.0.2.1". 0 or -EINVAL with *err. */
int listen_spec_parse(struct str text, struct listen_spec *ret, struct err *err);

/* A whole message: a datagram, or one framed from a stream. raw is a loan for the call. */
typedef void transport_fn(void *ctx, const struct flow *from, struct str raw);
/*
 * A connection ended, or could not be opened: its flows are dead, and so are those to its peer that
 * have no number yet. error is a negative errno. Never called inside transport_send.
 */
typedef void transport_gone_fn(void *ctx, const struct flow *flow, int error);
/* What another worker's user sent by transport_note. */
typedef void transport_note_fn(void *ctx, struct str bytes);
/* A message was queued to be sent. */
typedef void transport_sent_fn(void *ctx, const struct flow *to, struct str bytes);

struct transport_config {
	struct loop *loop;
	const struct listen_spec *listen; /* all workers have the same list */
	int listen_count;
	int worker, workers;
	/* Rings for the transports alone, each at least 1 MiB: a record holds a whole message. */
	struct ring *const *to;   /* to[w]: ring towards worker w; NULL for itself */
	struct ring *const *from; /* from[w] */
	transport_fn *on_message;
	transport_gone_fn *on_gone; /* may be NULL */
	transport_fn *on_passed;    /* by transport_pass; these two may be NULL with one worker */
	transport_note_fn *on_note;
	transport_sent_fn *on_sent; /* called while *is_tapped; may be NULL */
	const _Atomic bool *is_tapped;
	/* Whose TLS handshakes are answered, by their address; NULL: everybody's. */
	bool (*may_shake)(void *ctx, const struct flow *from);
	void *ctx;
	struct tls *tls;               /* loan; for listeners of TLS */
	const struct outside *outside; /* loan; NULL: no NAT before us */
};

/* What a UDP socket asks for; net.core.rmem_max and wmem_max bound what it gets. */
enum { TRANSPORT_BUFFER_BYTES = 16 << 20 };

struct transport_stats {           /* one writer, relaxed atomics */
	_Atomic uint64_t received; /* messages, before steering */
	_Atomic uint64_t sent;
	_Atomic uint64_t dropped_full; /* a ring, a socket or a peer took no more */
	_Atomic uint64_t dropped_bad;  /* could not be framed, or not be sent to such an address */
	_Atomic uint64_t handed_over;
	_Atomic uint64_t connections; /* open now */
	_Atomic uint64_t refused_connections;
	_Atomic uint64_t buffer_bytes; /* the smallest UDP receive buffer that the kernel gave */
};

/* 0, or negative errno with *err naming the address. The arrays of *c are copied. */
int transport_create(struct transport **ret, const struct transport_config *c, struct err *err);
struct transport *transport_free(struct transport *t);
DEFINE_CLEANUP(struct transport *, transport_free);

/*
 * Queues one message; it leaves at transport_flush (the end of the loop turn), in order. 0,
 * -EMSGSIZE, -ENOBUFS (peer does not read, ring full), -ENOTCONN (connection gone), -EACCES (an
 * address that nothing is ever sent to: multicast, broadcast, 0/8, port 0, ourselves), -ENOMEM or
 * what connect() said. Bytes are copied.
 */
int transport_send(struct transport *t, const struct flow *to, struct str bytes);
void transport_flush(struct transport *t);
/*
 * Between the users of two workers: a message that came here and is that one's, whatever its tags say; and a note of up to some hundred
 * octets. All that goes from one worker to another arrives in order. False: the ring is full, nothing was sent.
 */
bool transport_pass(struct transport *t, int worker, const struct flow *from, struct str raw);
bool transport_note(struct transport *t, int worker, struct str bytes);
/*
 * The number of the connection that a flow uses: its own, or that of the one which the last
 * transport_send opened or found; 0 if there is none.
 */
uint32_t transport_conn(const struct transport *t, const struct flow *f);
/*
 * The flow to a peer we want to call: our listener of that protocol and family that is nearest to
 * it; a stream's connection is opened by the first send and reused while it lives. 0 or
 * -EAFNOSUPPORT when we do not listen on such a thing.
 */
int transport_flow(struct transport *t, enum proto proto, const struct addr *peer,
		   struct flow *ret);
/*
 * Whom a connection of TLS to be opened for this flow has to believe; without it the certificate
 * must be for the peer's address. Of another protocol it changes nothing. 0 or -ENOMEM.
 */
int transport_secure(struct transport *t, struct flow *f, const struct tls_policy *p);
/* What the errno of a connection that failed means, in words. */
const char *transport_error_text(int error);
/* How our side ends a connection from now on: by RST, or by FIN. */
void transport_close_by_reset(struct transport *t, bool on);
/* Our address as the peer has to see it, for Via and Contact: before a NAT, the one outside. */
void transport_local(struct transport *t, const struct flow *f, struct addr *ret);
/*
 * The address that our end of the flow really has (a wildcard listener is resolved by the route to
 * the peer, cached).
 */
void transport_own(struct transport *t, const struct flow *f, struct addr *ret);
/* The same, but of a connection that we opened the port that it has. */
void transport_socket(struct transport *t, const struct flow *f, struct addr *ret);
/* A peer that sent something valid we know (a gateway): its connection gets the limits of those. */
void transport_trust(struct transport *t, const struct flow *f);
const struct transport_stats *transport_stats(const struct transport *t);
