/*
 * inner: what the files of call/ share: a worker's tables, a call and its legs. Private to this folder.
 *
 * A call is one leg towards the caller and, one after the other or while an abandoned try dies away, legs towards vendors.
 * Everything belongs to one worker's thread. Objects are freed at the end of a loop turn (worker->dead), so no callback can pull the ground
 * from under another.
 */
#pragma once

#include <pthread.h>

#include "base/htab.h"
#include "base/loop.h"
#include "call/hub.h"
#include "call/inquiry.h"
#include "call/report.h"
#include "call/suspend.h"
#include "call/worker.h"
#include "media/relay.h"
#include "route/retry.h"
#include "sip/dialog.h"
#include "sip/digest.h"
#include "sip/sdp.h"
#include "sip/txn.h"
#include "transport/steer.h"

struct orphans;

struct worker {
	struct worker_config c;
	struct hub *hub;
	struct worker_stats *stats;
	struct loop loop;
	struct transport *transport;
	struct sip *sip;
	struct digest *digest;
	struct report *report;
	struct suspend *suspend;
	struct desk *desk;
	struct booking *booking;
	const struct world *world; /* of this loop turn */
	struct htab calls;         /* by id */
	struct htab tags;          /* legs by our tag */
	struct htab invites;       /* calls by the caller's Call-ID and tag: merged requests */
	struct list dead;          /* calls to be freed at the end of the turn */
	int64_t last_id;
	struct orphans *orphans;
	struct inbox asks;
	pthread_t thread;
	bool is_running;
};

struct call;

struct leg {
	struct call *call;
	struct list node; /* in call->tries */
	struct hnode by_tag;
	enum side side;
	struct dialog dialog;
	struct addr local;           /* our address as the peer sees it */
	struct server_txn *invited;  /* caller's INVITE */
	struct client_txn *inviting; /* ours to the vendor */
	uint32_t invite_cseq;
	struct client_txn *ending; /* our BYE */
	struct buf ack;            /* the ACK we sent, for repeated 200s */
	struct server_txn *asked;  /* re-INVITE, UPDATE or INFO that came on this leg */
	struct client_txn *asking; /* the same passed on to this leg */
	bool is_asked, is_asking;  /* ... and not over yet: one at a time (RFC 3261 §14) */
	struct sdp_origin origin;
	struct buf sdp; /* the description we sent last */
	bool is_answered, is_acked, bye_is_due, is_over;
	bool is_holding;             /* its description puts the other side on hold */
	struct buf described;        /* the description it sent last */
	struct buf described_before; /* ... and the one that holds if its change is refused */
	/* towards a vendor only */
	char *gateway;
	struct gate *gate;
	struct price cost;
	struct number caller_out, callee_out;
	enum try_stage stage;
	bool has_line, is_abandoned;
	char *password_realm; /* realm answered once; a second challenge is a refusal */
};

enum call_state {
	CALL_HUNTING,    /* looking for a vendor that answers */
	CALL_COMMITTING, /* one did; its journal row is not durable yet */
	CALL_UP,
	CALL_OVER,
};

struct call {
	struct worker *worker;
	struct hnode by_id, by_invite;
	struct list dead_node;
	int64_t id;
	enum call_state state;
	struct inquiry q;
	struct cdr_row *cdr;
	struct leg caller;
	struct leg *callee; /* the try under way, or the one that answered */
	struct list tries;  /* every leg towards a vendor that is not over */
	struct tried tried;
	struct verdict verdict;
	struct timer setup_timer, life_timer, wait_timer;
	struct relay *relay;
	struct buf offer; /* the caller's description, for further tries */
	int max_forwards;
	ms_t ring_mono, answer_mono;
	ms_t heard_mono;    /* as the journal knows: when the media stopped, 0 while it flows */
	int64_t reach_ms;   /* how long the money held lasts, from the answer */
	bool has_early_sdp; /* the caller has a description already: it stays */
	money_t overrun;    /* what it has cost beyond its hold, as the purse knows */
	bool is_dry;        /* counted in purse->dry */
	bool was_journalled;
	bool is_booked, has_room;
	enum reason why;
	struct server_txn *bye; /* answered when the end is durable */
};

/* ---- call.c ---- */
/* A call for an INVITE from a known source; its inquiry, record and caller's leg are begun. NULL if memory is short. */
struct call *call_create(struct worker *w, struct server_txn *t, const struct msg *m,
			 const struct source *s);
struct call *call_find(struct worker *w, int64_t id);
/* Over, booked, and nothing pending: it goes at the end of this turn. */
void call_reap(struct call *c);
void call_free_dead(struct worker *w);
int64_t call_new_id(struct worker *w);
bool call_is_merged(struct worker *w, const struct msg *m);
/* On hold by either side: silence is no fault. */
bool call_is_held(const struct call *c);
struct log_fields call_fields(const struct call *c);

/* ---- leg.c ---- */
struct leg *leg_find(struct worker *w, struct str our_tag, struct str call_id);
int leg_begin(struct leg *l, struct call *c, enum side side, const char *tag);
void leg_done(struct leg *l);
/* A leg towards a vendor, in call->tries; takes what the choice holds. */
struct leg *leg_create(struct call *c, struct choice *choice);
/* Leaves call->tries and is freed; its line and hold must have been settled. */
void leg_free(struct leg *l);
struct leg *leg_other(struct leg *l);
/* Gives the vendor's line back and settles its hold against the charge. */
void leg_settle(struct leg *l, money_t charged);
/* A request inside the dialog; owner NULL: nobody waits for the answer. */
int leg_request(struct leg *l, enum method method, struct str content_type, struct str body,
		const struct client_owner *o, struct client_txn **ret);
/* The ACK of its 2xx, kept for repeats. */
void leg_ack(struct leg *l, uint32_t cseq, struct str body);
void leg_repeat_ack(struct leg *l);
/* A vendor's leg whose BYE is under way: it goes when that was answered. */
void leg_retire(struct leg *l);
/* The way to the Contact of a dialog, for streams whose connection is gone. */
int leg_flow_to_target(struct worker *w, const struct dialog *d, struct flow *ret);
/* BYE, now or as soon as the ACK of our 2xx came. */
void leg_bye(struct leg *l);

/* ---- offer.c ---- */
/*
 * Passes a description from one leg to the other: the relay learns where `from` is, and what is written is ours. With no body nothing is
 * written. REASON_BAD_REQUEST, REASON_CODEC_MISMATCH, REASON_NO_MEDIA_PORT.
 */
enum reason offer_pass(struct leg *from, struct leg *to, struct str body, struct buf *out);
/* The change that this leg asked for was refused: what it had described before holds again (RFC 3261 §14.1). */
void offer_take_back(struct leg *l);
/* The relay, if the two gateways and the parameters ask for one. */
enum reason offer_open(struct call *c, const struct source *s, const struct vendor *v);

/* ---- setup.c: INVITE of a new call ---- */
void setup_invite(struct worker *w, struct server_txn *t, const struct msg *m);
/* True: it came from nobody we know, is counted, and was dropped or refused as SS_REPLY_UNAUTHORIZED says. */
bool refuse_stranger(struct worker *w, struct server_txn *t, const struct msg *m);
/* ---- hunt.c: vendors in turn ---- */
void hunt_next(struct call *c);
/* ---- progress.c, answer.c ---- */
void progress_provisional(struct leg *l, const struct msg *m);
void answer_received(struct leg *l, const struct msg *m);
/* The journal row is durable, or is not (error). */
void answer_booked(struct call *c, int error);
void answer_acked(struct leg *caller, const struct msg *ack);
/* A try that was given up answered after all: ACK, BYE, and its cost. */
void answer_late(struct leg *l, const struct msg *m);
/* ---- inside.c: requests inside a dialog ---- */
void inside_request(struct worker *w, struct server_txn *t, const struct msg *m);
/* ---- watch.c: money, length and silence of a call that is up ---- */
void watch_start(struct call *c);
/* It is no longer, or never was, beyond its money. */
void watch_paid_up(struct call *c);
/* ---- finish.c ---- */
enum hangup { HANGUP_CALLER, HANGUP_CALLEE, HANGUP_SWITCH };
/* The only way a call ends. code: what the caller hears if it was not answered; 0 = the reason's own. */
void finish(struct call *c, enum reason why, enum hangup side, int code);
void finish_booked(struct call *c);
/* A record of its own for a try that answered too late. */
void finish_late(struct leg *l);
/* ---- orphan.c ---- */
/* Both dialogs as JSON, for the journal; NULL for want of memory. */
char *orphan_legs(const struct call *c);
int orphans_start(struct worker *w);
void orphans_free(struct worker *w);
/* ---- show.c ---- */
char *show_calls(struct worker *w);
char *show_call(struct worker *w, int64_t id);

/* Answers a request that is no call's, or that a call cannot take. */
void reply_simple(struct server_txn *t, int code, struct str extra);
