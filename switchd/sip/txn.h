/*
 * txn: transactions of one worker (RFC 3261 §17 as corrected by RFC 6026; RFC 4320, RFC 3581), on
 * the wheel.
 *
 * The user above (call/) gets requests and responses once each, after retransmissions are absorbed.
 * A transaction lives by itself to the end of its timers; whoever holds a pointer to one across
 * callbacks gives an owner, who is told of everything until x_detach. After on_done the pointer is
 * dead; on_done is always the last call and comes from a timer, never from inside a function here.
 *
 * Belongs to the worker's thread; time is loop->now_ms.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/loop.h"
#include "sip/msg.h"
#include "transport/transport.h"

struct sip; /* the transaction table of a worker */
struct server_txn;
struct client_txn;

/* Times in ms, T1 as RFC 3261 says unless a test makes them shorter. */
struct sip_timers {
	int64_t t1, t2, t4;
};
#define SIP_TIMERS_DEFAULT ((struct sip_timers){ 500, 4000, 5000 })

struct sip_user {
	/*
	 * A new request, in or out of a dialog; never a CANCEL. t is NULL for an ACK of a 2xx. The
	 * message is a loan. Every t gets a server_reply now or later, or a server_refuse or
	 * server_drop.
	 */
	void (*on_request)(void *ctx, struct server_txn *t, const struct msg *m);
	/*
	 * A message that cannot be parsed but could be answered, or a CANCEL of nothing; the user
	 * says if the source is known (else silence).
	 */
	bool (*may_answer)(void *ctx, const struct flow *from);
	/*
	 * A 2xx to INVITE that nobody waits for: its transaction ended, failed or was detached, or
	 * it is from another fork. May be NULL.
	 */
	void (*on_stray)(void *ctx, const struct msg *m);
	/*
	 * Before on_request and on_stray, of what belongs to no transaction here: is its dialog another's by now, who gets it? raw: as it
	 * came. May be NULL.
	 */
	bool (*pass_on)(void *ctx, const struct msg *m, struct str raw);
	void *ctx;
};

struct sip_stats { /* one writer, relaxed */
	_Atomic uint64_t bad_messages, retransmissions_in, retransmissions_out, stray;
};

/* user is copied; timers NULL: the default. 0 or -ENOMEM. */
int sip_create(struct sip **ret, struct loop *loop, struct transport *tp, int worker,
	       const struct sip_user *user, const struct sip_timers *timers);
/*
 * The waits between the transmissions of a request over UDP, in ms, instead of T1, 2*T1 ... (SS_SIP_RESEND_INTERVAL); after
 * the last it is not sent again. n 0: as the RFC says. More than SIP_RESENDS_MAX are cut off.
 */
enum { SIP_RESENDS_MAX = 16 };
void sip_set_resends(struct sip *s, const int64_t *ms, int n);
/* Transactions end without a word to their owners. */
struct sip *sip_free(struct sip *s);
DEFINE_CLEANUP(struct sip *, sip_free);
/* transport_fn and transport_gone_fn: ctx is the struct sip. */
void sip_receive(void *sip, const struct flow *from, struct str raw);
void sip_gone(void *sip, const struct flow *flow, int error);
const struct sip_stats *sip_stats(const struct sip *s);
size_t sip_txn_count(const struct sip *s);

/* ---- server side ---- */

struct server_owner { /* any of them may be NULL */
	/* The CANCEL that matches came and was answered with 200; server_cancel says what it was.
	 * Not called once a final response was sent. */
	void (*on_cancel)(void *ctx, struct server_txn *t);
	/* A 2xx to INVITE was never acknowledged (64*T1). */
	void (*on_no_ack)(void *ctx, struct server_txn *t);
	/*
	 * The transaction is over; drop the pointer. Comes without an answer from us if a request
	 * other than INVITE was not answered within 64*T1: nobody waits for it then (RFC 4320).
	 */
	void (*on_done)(void *ctx, struct server_txn *t);
};

void server_own(struct server_txn *t, const struct server_owner *o, void *ctx);
/* No more callbacks. */
void server_detach(struct server_txn *t);
/* Answers go there, and not to where the request came from; that of a CANCEL goes the INVITE's way. For datagrams. */
void server_reply_to(struct server_txn *t, const struct addr *a);

struct reply {
	int code;
	const char *phrase; /* NULL: the standard one */
	const char *to_tag; /* ours; NULL: none for 100, else the transaction's own, minted once */
	bool record_route;  /* copy Record-Route (dialog-creating responses) */
	const struct addr *contact; /* our Contact host and port; NULL: none */
	struct str extra;           /* whole header lines, each with CR LF */
	struct str content_type;
	struct str body;
};

/*
 * Sends a response; a 2xx to INVITE is repeated until server_acked (RFC 6026 Accepted), other
 * finals as §17.2 says, nothing more than 7 times (F7). A response after a final one is a mistake
 * (assert). 0, or -ENOMEM or the transport's errno: the transaction goes on as if it had been sent.
 */
int server_reply(struct server_txn *t, const struct reply *r);
/*
 * Sends a final response once and forgets the request: no repeat, no state, a repeated request is
 * a new one. For challenges and refusals to strangers (security.md F3, F7). t is dead after it.
 */
int server_refuse(struct server_txn *t, const struct reply *r);
/* Forgets the request without an answer, as if it never came. t is dead after it. */
void server_drop(struct server_txn *t);
/* The ACK of our 2xx came: stop repeating. */
void server_acked(struct server_txn *t);
/* Is it an INVITE whose 2xx nobody has acknowledged yet? */
bool server_waits_ack(const struct server_txn *t);
/*
 * What the request was. NULL once a final response was sent: nothing of a call that is up stays
 * here. The bytes themselves live to the end of the loop turn.
 */
const struct msg *server_request(const struct server_txn *t);
bool server_is_final(const struct server_txn *t);
/* The CANCEL that on_cancel is about; NULL at any other time. */
const struct msg *server_cancel(const struct server_txn *t);
/* Sends the last response once more (RFC 3262: a provisional one that waits for its PRACK). */
void server_repeat(struct server_txn *t);

/* ---- client side ---- */

struct client_owner { /* any of them may be NULL */
	/*
	 * Every provisional response and the final one; of an INVITE also every further 2xx
	 * (repeated: send the ACK again; or of another fork).
	 */
	void (*on_response)(void *ctx, struct client_txn *t, const struct msg *m);
	/*
	 * No final response: -ETIMEDOUT (Timer B, F), or the transport's errno. on_done follows. A
	 * 2xx to INVITE that still comes is a stray.
	 */
	void (*on_fail)(void *ctx, struct client_txn *t, int error);
	void (*on_done)(void *ctx, struct client_txn *t);
};

/*
 * Sends `bytes` (a whole request with `branch` in its top Via) and keeps it for repeating. method
 * and branch are what responses are matched by. 0; -ENOMEM or the transport's errno: then there is
 * no transaction and no callback. The ACK of a final response other than 2xx is sent from here;
 * that of a 2xx is the user's (sip_send).
 */
int client_send(struct client_txn **ret, struct sip *s, enum method method, const char *branch,
		const struct flow *to, struct str bytes, const struct client_owner *o, void *ctx);
/* No more callbacks; a 2xx to INVITE that still comes is a stray. */
void client_detach(struct client_txn *t);
/*
 * INVITE only: CANCEL goes out at once if a 1xx came, else after the first one (never before).
 * After 64*T1 without a final answer on_fail says -ETIMEDOUT. Harmless after a final response.
 */
void client_cancel(struct client_txn *t);
/* The same with header lines of its own in the CANCEL (Reason), each with CR LF. */
void client_cancel_with(struct client_txn *t, struct str extra);
/* Was there a provisional response? */
bool client_has_provisional(const struct client_txn *t);

/* Sends bytes outside any transaction (the ACK of a 2xx). */
int sip_send(struct sip *s, const struct flow *to, struct str bytes);
