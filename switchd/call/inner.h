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
#include "call/reliable.h"
#include "call/report.h"
#include "call/session.h"
#include "call/worker.h"
#include "media/relay.h"
#include "route/retry.h"
#include "sip/dialog.h"
#include "sip/digest.h"
#include "sip/ext.h"
#include "sip/sdp.h"
#include "sip/txn.h"
#include "trace/tap.h"
#include "transport/steer.h"
#include "vendor/redirect.h"

struct bridge;
struct illegal;
struct knocks;
struct keepalive;
struct orphans;
struct keeper;
struct prices;
struct tester;
struct ported;
struct lookup;

struct worker {
	struct worker_config c;
	struct hub *hub;
	struct worker_stats *stats;
	struct loop loop;
	struct transport *transport;
	struct sip *sip;
	struct digest *digest;
	struct report *report;
	struct illegal *illegal;
	struct knocks *knocks;
	struct registrar *registrar;
	struct keepalive *keepalive; /* of the first worker; NULL elsewhere */
	struct desk *desk;
	struct booking *booking;
	struct tap *tap;           /* of the tracer; NULL: none */
	const struct world *world; /* of this loop turn */
	uint64_t serial;           /* of the last one seen */
	struct htab calls;         /* by id */
	struct htab tags;          /* legs by our tag */
	struct htab invites;       /* calls by the caller's Call-ID and tag: merged requests */
	struct list dead;          /* calls to be freed at the end of the turn */
	int64_t last_id;
	struct orphans *orphans;
	struct keeper *keeper; /* NULL: another worker has it */
	struct list messages;  /* passed on outside of calls and not answered yet (message.h) */
	int message_count;
	struct htab moved; /* tags of legs that another worker has taken (move.h) */
	struct prices *prices;
	struct tester *tester;
	struct ported *ported; /* answers of LRN servers */
	struct inbox asks;
	pthread_t thread;
	bool is_running;
};

struct call;

/* What a try has come to, each with its own longest time (SS_SIP_TIMEOUT_*), in this order. */
enum wait { WAIT_ANSWER, WAIT_TRYING, WAIT_PROGRESS, WAIT_RINGING, WAIT_EARLY_MEDIA };

enum { REFERS_MAX = 4 };

struct leg {
	struct call *call;
	struct list node; /* in call->tries */
	struct hnode by_tag;
	enum side side;
	struct dialog dialog;
	struct addr local;      /* our address as the peer sees it */
	struct addr signalling; /* where it speaks from; requests may go elsewhere (hop.h) */
	uint8_t reply_address, request_address;
	struct server_txn *invited;  /* caller's INVITE */
	struct client_txn *inviting; /* ours to the vendor */
	uint32_t invite_cseq;
	struct client_txn *ending; /* our BYE */
	struct buf ack;            /* the ACK we sent, for repeated 200s */
	uint32_t ack_cseq;
	struct server_txn *asked;  /* re-INVITE, UPDATE or INFO that came on this leg */
	struct client_txn *asking; /* the same passed on to this leg */
	bool is_asked, is_asking;  /* ... and not over yet: one at a time (RFC 3261 §14) */
	uint32_t asked_cseq, asking_cseq;
	bool ack_waits;  /* for the asker's ACK, which brings the answer to a late offer */
	bool can_update; /* its last Allow named UPDATE */
	struct session session;
	struct reliable reliable;
	struct list forks;    /* dialogs that the vendor's side made of our INVITE */
	struct list passings; /* what came on this leg, was passed on and is not answered yet */
	struct {
		uint32_t came, went; /* the CSeq on this leg and on the other */
	} refer[REFERS_MAX];         /* REFERs of this leg that the other may still tell of */
	int refers;
	struct sdp_origin origin;
	struct buf sdp;        /* the description we sent last */
	struct buf sdp_before; /* ... and the one that holds if ours is refused */
	bool is_answered, is_acked, bye_is_due, is_over;
	bool bye_came_back;          /* its connection broke, and it went again by another */
	bool is_holding;             /* its description puts the other side on hold */
	bool is_fax;                 /* its description is of T.38 */
	struct buf described;        /* the description it sent last */
	struct buf described_before; /* ... and the one that holds if its change is refused */
	/* towards a vendor, or a phone of ours, only */
	char *gateway; /* its name; a phone's number */
	bool is_phone;
	struct gate *gate;
	struct price cost;
	struct group_lines groups;
	struct pool_line pool;
	int64_t longest_s; /* that a call by it may be; 0: no limit of its own */
	struct number caller_out, callee_out;
	bool is_anonymous; /* From does not name the caller */
	enum try_stage stage;
	uint32_t attempt; /* 1 for the first vendor */
	bool has_line, is_abandoned;
	bool is_large, is_udp_alone; /* went over to TCP for its size; was refused there */
	enum wait wait;
	uint64_t prefix;          /* of the choice */
	ms_t sent_mono;           /* of its first INVITE; 0 = none went */
	bool has_rung, is_scored; /* ... and the vendor's quality knows it */
	bool has_outcome;         /* the vendor's holds know what came of it */
	struct redirect way;      /* where 3xx answers have led it */
	uint64_t rtp_before;      /* packets that earlier vendors of the call had sent */
	char *password_realm;     /* realm answered once; a second challenge is a refusal */
};

enum call_state {
	CALL_HUNTING,    /* looking for a vendor that answers */
	CALL_COMMITTING, /* one did; its journal row is not durable yet */
	CALL_UP,
	CALL_OVER,
};

/* The other end of a call whose place this one takes (RFC 3891): where its INVITE goes, and with what line. */
struct taken {
	char *line; /* NULL: it takes nobody's place */
	char *target;
	struct flow flow;
};

struct call {
	struct worker *worker;
	struct call *front;   /* what it was before a phone sent it on (forward.h); NULL: nothing */
	const char *diverted; /* of a front: why, in the words of RFC 5806 */
	struct hnode by_id, by_invite;
	struct list dead_node;
	int64_t id;
	enum call_state state;
	struct inquiry q;
	struct cdr_row *cdr;
	char *sender; /* the gateway or phone that sent it, if not the one it is charged to */
	bool is_sender_phone;
	struct leg caller;
	struct lookup *lookup; /* an LRN server is asked, and nothing else happens; NULL: none is */
	struct leg *callee;    /* the try under way, or the one that answered */
	struct list tries;     /* every leg towards a vendor that is not over */
	struct tried tried;
	struct verdict verdict;
	struct taken taken;
	struct bridge *bridge; /* with another call, made or being made; NULL: none (bridge.h) */
	struct timer setup_timer, life_timer, wait_timer;
	struct relay *relay;
	struct buf offer;   /* the caller's description, for further tries */
	struct buf refusal; /* header lines of a refusal of ours */
	struct buf cause;   /* the Reason line of BYE and CANCEL */
	struct {
		int code;
		uint32_t cause;
	} heard; /* the Q.850 cause that a vendor's refusal had, and what that was taken for */
	int max_forwards;
	ms_t ring_mono, answer_mono;
	ms_t heard_mono; /* as the journal knows: when the media stopped, 0 while it flows */
	bool is_one_way; /* was counted at the gate of the side that is silent */
	ms_t left_mono; /* when the callee hung up, before the caller heard of its answer; 0: not so */
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
			 const struct source *payer, const struct source *peer);
struct call *call_find(struct worker *w, int64_t id);
/* Into the tables of the worker that it has come to (move.h). */
void call_enter(struct call *c);
/* Over, booked, and nothing pending: it goes at the end of this turn. */
void call_reap(struct call *c);
void call_free_dead(struct worker *w);
int64_t call_new_id(struct worker *w);
bool call_is_merged(struct worker *w, const struct msg *m);
/* The gateway or phone that it is charged to, as it is now; NULL: deleted meanwhile. */
const struct source *call_source(const struct call *c);
/* The one that it came from: the same but for a call that somebody else asked for (transfer.h). */
const struct source *call_peer(const struct call *c);
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
/* The same from a draft, which needs no branch, no local address. */
int leg_send(struct leg *l, const struct draft *d, const struct client_owner *o, void *ctx,
	     struct client_txn **ret);
/* The ACK of its 2xx, kept for repeats. */
void leg_ack(struct leg *l, uint32_t cseq, struct str body);
/* A 2xx to INVITE that came again, or too late for anything else. */
void leg_repeat_ack(struct leg *l, const struct msg *ok);
/* The Allow line for this peer, and Supported if it may replace; and what is in Allow beyond DIALOG_ALLOW. */
void leg_put_allow(const struct leg *l, struct buf *out);
const char *leg_allow(const struct leg *l);
/* What the peer allows. */
void leg_learn(struct leg *l, const struct msg *m);
/* Where both peers are now, for the BYEs after a crash. */
void leg_journal(struct call *c);
/* A vendor's leg whose BYE is under way: it goes when that was answered. */
void leg_retire(struct leg *l);
/* BYE, now or as soon as the ACK of our 2xx came. */
void leg_bye(struct leg *l);

/* The vendor, or phone, that it leads to, as it is now; NULL: deleted meanwhile. */
const struct vendor *leg_vendor(const struct leg *l);
/* The same, but NULL for a phone, too. */
const struct vendor *leg_routing_gateway(const struct leg *l);

/* ---- offer.c ---- */
/*
 * Passes a description from one leg to the other: the relay learns where `from` is, and what is written is ours. With no body nothing is
 * written. REASON_BAD_REQUEST, REASON_CODEC_MISMATCH, REASON_NO_MEDIA_PORT.
 */
enum reason offer_pass(struct leg *from, struct leg *to, struct str body, struct buf *out);
/* The change that this leg asked for was refused: what it had described before holds again (RFC 3261 §14.1). */
void offer_take_back(struct leg *l);
/* So was the one that we sent to this leg. */
void offer_unsend(struct leg *l);
/* The answer to an offer of ours that changed nothing: where the peer is now. */
void offer_relearn(struct leg *l, struct str body);
/*
 * What `from` has described already, offered to `to`. is_freed: who has it on hold goes away, so it is offered as it is without that.
 */
enum reason offer_again(struct leg *from, struct leg *to, bool is_freed, struct buf *out);
/* The relays learn once more where this leg is, as it has described it. */
enum reason offer_tell_again(struct leg *l);
/* The relay, if the two gateways and the parameters ask for one. */
enum reason offer_open(struct call *c, const struct source *s, const struct vendor *v,
		       const struct addr *to);

/* ---- setup.c: INVITE of a new call ---- */
/* Once it is known, or given up to know, where the number is. */
void setup_go_on(struct call *c);
/* After the price, into the record: what it was found by, where that is not the callee. Best effort: without it the record is still right. */
void setup_keep_charged(struct call *c);
void setup_invite(struct worker *w, struct server_txn *t, const struct msg *m);
/* Its numbers into its record. 0 or -1. */
int setup_keep_numbers(struct call *c);
/* True: it came from nobody we know, is counted, and was dropped or refused as SS_REPLY_UNAUTHORIZED says. */
bool refuse_stranger(struct worker *w, struct server_txn *t, const struct msg *m);
/* Is it the address of a gateway, or of somebody who is registered? */
bool worker_knows(const struct worker *w, const struct addr *a);
/* ---- register.c: REGISTER, and what hangs on registrations ---- */
void register_request(struct worker *w, struct server_txn *t, const struct msg *m);
int register_start(struct worker *w);
/* Acts on parameters that have changed; once a loop turn. */
void register_see_world(struct worker *w);
void register_stop(struct worker *w);
/* How many contacts of the phone that is called are alive. */
int register_contacts(const struct worker *w, const struct phone *p);
/* Is any of the phone's contacts behind NAT? */
bool register_is_nat(const struct worker *w, const struct phone *p);
/* Makes the leg's dialog with the n-th contact of a phone. REASON_PHONE_OFFLINE, REASON_OVERLOAD. */
enum reason register_address(struct leg *l, const struct phone *p, int n);
/* ---- hunt.c: vendors in turn ---- */
void hunt_next(struct call *c);
/*
 * The INVITE of this try, to its dialog's target; credentials: the header line that answers a challenge, or empty. 0 or negative
 * errno; -ELOOP: it has gone round too often.
 */
int hunt_invite(struct leg *l, const struct vendor *v, struct str body, struct str credentials);
/* The vendor ended its early dialog with BYE, which it must not (RFC 3261 §15): the try has failed, and the hunt goes on. */
void hunt_left(struct leg *l);
/* The wait for any answer begins anew. */
void hunt_wait(struct leg *l, const struct vendor *v);
/* ---- outcome.c: what a try says about its vendor ---- */
/* A 3xx that the gateway lets us follow: the try goes on at another address. */
bool outcome_follow(struct leg *l, const struct msg *m);
/* It answered something that shows that it works. */
void outcome_worked(struct leg *l);
/* It failed with this code; m: its answer, or NULL if there was none. */
void outcome_failed(struct leg *l, int code, const struct msg *m);
/* What its refusal is taken for, as failure_causes and failure_codes of its gateway say. */
int outcome_code(struct leg *l, const struct msg *m);
/* The leg goes. */
void outcome_untold(struct leg *l);
/* ---- scored.c: what a try says about the quality of its vendor ---- */
/* Its INVITE left. */
void scored_sent(struct leg *l);
void scored_rang(struct leg *l);
/* Answered, or over without: counts once. */
void scored_over(struct leg *l, bool is_answered);
void scored_talked(struct leg *l, ms_t talk_ms, money_t cost);
/* ---- progress.c, answer.c ---- */
void progress_provisional(struct leg *l, const struct msg *m);
void answer_received(struct leg *l, const struct msg *m);
/* The journal row is durable, or is not (error). */
void answer_booked(struct call *c, int error);
/* A caller that takes a place in another call (bridge.h): that is settled, and it is to hear 200. Its description is in caller.sdp. */
void answer_tied(struct call *c);
void answer_acked(struct leg *caller, const struct msg *ack);
/* A try that was given up answered after all: ACK, BYE, and its cost. */
void answer_late(struct leg *l, const struct msg *m);
/* ---- fork.c: further dialogs of one INVITE (RFC 3261 §13.2.2.4) ---- */
struct fork {
	struct list node; /* in leg->forks */
	char *tag;
	uint32_t rseq;    /* of its last reliable response, 0 = none */
	bool is_released; /* its 2xx was acknowledged and ended */
};
/* The dialog that this response belongs to; NULL for want of memory, or when there are too many. */
struct fork *fork_get(struct leg *l, struct str tag);
void forks_done(struct leg *l);
/* A 2xx of a dialog that nobody wants: ACK, and BYE the first time. l may be NULL. */
void fork_release(struct worker *w, struct leg *l, const struct msg *ok);
/* ---- passing.c: INFO, MESSAGE, REFER and its NOTIFY, which change nothing here and wait for nothing ---- */
void passing_request(struct leg *l, struct server_txn *t, const struct msg *m);
/* A BYE behind a REFER that waits for another worker (move.h): it waits as well, and what the REFER leads to comes first. */
bool passing_holds_bye(struct leg *l, struct server_txn *t, const struct msg *m);
/*
 * They go on; or in a moment, with another look at whether that worker's call is to be had: its ACK may be on the way still. Harmless if there
 * are none.
 */
void passing_wait(struct leg *l);
void passing_resume(struct leg *l);
/* Those that are open get 487; none is left. */
void passings_done(struct leg *l);
/* ---- inside.c: requests inside a dialog ---- */
/* With what this peer may send, and further lines. */
void reply_allow(const struct leg *l, struct server_txn *t, int code, const char *more);
void inside_request(struct worker *w, struct server_txn *t, const struct msg *m);
/* ---- watch.c: money, length and silence of a call that is up ---- */
void watch_start(struct call *c);
/* On another worker's wheel. */
void watch_again(struct call *c);
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
/* ---- traced.c: what the tracer is told ---- */
/* Whose the caller's Call-ID is, once the numbers are known; whose a vendor's is, before its INVITE leaves. */
void traced_call(const struct call *c);
void traced_leg(const struct leg *l);
/* Every call that is up: a trace begins. */
void traced_all(struct worker *w);
/* ---- show.c ---- */
char *show_calls(struct worker *w);
char *show_knocks(struct worker *w);
char *show_call(struct worker *w, int64_t id);

/* Answers a request that is no call's, or that a call cannot take. */
void reply_simple(struct server_txn *t, int code, struct str extra);
