/*
 * txn_private: what the table and the two sides of it share. For sip/txn*.c alone.
 */
#pragma once

#include <stdatomic.h>

#include "base/buf.h"
#include "base/htab.h"
#include "base/list.h"
#include "sip/txn.h"
#include "transport/steer.h"

struct sip {
	struct loop *loop;
	struct transport *transport;
	int worker;
	struct sip_user user;
	struct sip_timers timers;
	struct sip_stats stats;
	int64_t resend[SIP_RESENDS_MAX];
	int resends;
	struct htab server, client;
	struct htab client_conns, server_conns; /* those on streams, by connection */
	struct list spent;  /* server transactions whose request nobody needs any more */
	struct timer sweep; /* frees those at the end of the turn */
	struct buf out;     /* where a message is written before it is sent */
	struct str raw;     /* the message that is being received */
};

/* What both sides have. */
struct txn {
	struct hnode node; /* of the table; its hash is the key */
	struct sip *sip;
	struct flow flow;
	enum method method;
	int state;
	struct timer repeat; /* Timers A, E, G and that of a 2xx */
	struct timer life;   /* Timers B, D, F, H, I, J, K, L, M: one at a time */
	int64_t interval;    /* of the repeat that runs */
	struct str bytes;    /* what a repeat sends; owned */
};

static inline void count_one(_Atomic uint64_t *counter)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

/* ---- txn.c ---- */

/* True: it is another worker's, and on its way there. */
bool txn_passed_on(const struct sip *s, const struct msg *m);
void txn_init(struct txn *t, struct sip *s, const struct flow *flow, enum method method);
/* Stops the timers, leaves the table, frees the bytes. */
void txn_done(struct txn *t, struct htab *table);
static inline bool txn_is_reliable(const struct txn *t)
{
	return proto_is_stream((enum proto)t->flow.proto);
}
/* security.md A8: what goes by TLS is not touched by what comes by anything less. */
static inline bool txn_is_as_safe(const struct txn *t, const struct msg *m)
{
	return t->flow.proto != PROTO_TLS || m->flow.proto == PROTO_TLS;
}
static inline uint64_t txn_conn_hash(uint32_t conn, int worker)
{
	return (uint64_t)worker << 32 | conn;
}
/* (Re)starts `life` or `repeat` from now on. */
void txn_live(struct txn *t, int64_t ms);
void txn_repeat_in(struct txn *t, int64_t ms);
/* Keeps a copy for repeating in place of what was kept; nothing if empty or memory is short. */
void txn_keep(struct txn *t, struct str bytes);
/* Sends what is kept once more. */
void txn_send_again(struct txn *t);

/* ---- txn_server.c ---- */

/* Takes m over. */
void server_receive(struct sip *s, struct msg *m);
/* Answers a message that no transaction is made for. */
void server_answer_broken(struct sip *s, const struct msg *m, int code);
/* timer_fn of sip->sweep. */
void server_sweep(struct timer *t, int64_t now_ms);
void server_txn_free(struct txn *t);
/* A connection is gone: answers to what came by it go by a new one. */
void server_gone(struct sip *s, const struct flow *flow);

/* ---- txn_client.c ---- */

void client_receive(struct sip *s, const struct msg *m);
void client_gone(struct sip *s, const struct flow *flow, int error);
void client_txn_free(struct txn *t);

/* ---- txn_put.c ---- */

/* A whole response to req, which came on this flow. */
void put_reply(const struct msg *req, const struct reply *r, const char *to_tag, struct buf *out);
/*
 * The ACK of a response other than 2xx (§17.1.1.3), and the CANCEL (§9.1), made from the bytes of
 * the INVITE that we sent. to: the value of the response's To; extra: whole header lines.
 */
void put_ack(struct str invite, struct str to, struct buf *out);
void put_cancel(struct str invite, struct str extra, struct buf *out);
