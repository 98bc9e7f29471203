/*
 * stage: the ends of the test calls: customers and vendors on addresses of their own, one SIP stack
 * for all of them, in one thread on one loop.
 *
 * A customer end calls the switch (party_dial); a vendor end does with a call what its plan says.
 * What each saw stands in its party, for the test to read after it has waited for it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/list.h"
#include "base/loop.h"
#include "golive/talk.h"
#include "sip/dialog.h"
#include "sip/txn.h"

/* Customers first; what each is for. The last octet of its address is the base's plus offset. */
#define ENDS(X)                                                               \
	X(CUSTOMER, 101) /* of the account with money */                      \
	X(LIMITED, 102)  /* a gateway with a rate limit */                    \
	X(POOR, 103)     /* an account with little money */                   \
	X(OWN, 104)      /* charged like the operator's own first customer */ \
	X(STRANGER, 105) /* no gateway at all */                              \
	X(FIRST, 111)    /* the vendor that answers */                        \
	X(SECOND, 112)   /* the vendor behind one that is down */

enum end {
#define END_ENUM(name, octet) END_##name,
	ENDS(END_ENUM)
#undef END_ENUM
		END_COUNT
};

enum { STAGE_PORT = 50600, STAGE_NUMBER = 64, STAGE_DEAD_OCTET = 119 };
/* The two tones. */
enum { STAGE_CALLER_HZ = 700, STAGE_CALLEE_HZ = 1100 };

/* What a vendor end does with a call. */
struct plan {
	int code;       /* its final answer; 0: rings and waits to be cancelled */
	int payload;    /* preferred payload type; -1: the first that is offered */
	int every_ms;   /* between RTP packets; 0: sends none */
	bool is_silent; /* no 180 before the final answer */
};

struct stage;

enum party_state { PARTY_TRYING, PARTY_RINGING, PARTY_UP, PARTY_OVER };

struct party {
	struct list node;
	struct stage *stage;
	enum end end;
	bool is_caller;
	enum party_state state;
	struct dialog dialog;
	struct client_txn *inviting;
	struct server_txn *invited;
	uint32_t invite_cseq;
	struct talk talk;
	int payload;
	int every_ms;
	char caller[STAGE_NUMBER], callee[STAGE_NUMBER]; /* as sent, or as received */
	char offered[STAGE_NUMBER];                      /* codecs of the offer as received */
	int code;           /* final answer to the INVITE, sent or received; 0: none */
	int error;          /* no answer: a negative errno */
	bool was_cancelled; /* a CANCEL came */
	bool is_bye_ours, is_bye_theirs;
	int bye_code; /* what our BYE was answered with */
	/* Monotonic, in milliseconds; 0: did not happen. */
	int64_t invited_ms, ringing_ms, answered_ms, acked_ms, bye_ms, over_ms;
};

struct stage {
	struct loop loop;
	struct transport *transport;
	struct sip *sip;
	struct addr to; /* the switch */
	struct addr address[END_COUNT];
	struct plan plan[END_COUNT];
	struct list parties;
	uint64_t strangers; /* requests of no call of ours */
	int probe_status;   /* of stage_probe: 0 waiting, negative errno, or the code */
	bool is_loop_open;
	bool has_lent; /* addresses were put on lo, and go again */
};

/*
 * base: the first address of the /24 of the ends. One that is not loopback is put on lo for as long
 * as the stage is open, which needs root. 0 or negative errno with *err.
 */
int stage_open(struct stage *s, const struct addr *base, const struct addr *to, struct err *err);
void stage_close(struct stage *s);
/* One turn of the loop, at most ms long. */
int stage_turn(struct stage *s, int64_t ms);
/* Parties of earlier tests go; those still up are ended with a BYE that nobody waits for. */
void stage_clear(struct stage *s);
/* The vendors' side of a call, by the called number as the vendor got it; NULL: has not come. */
struct party *stage_callee(struct stage *s, const char *number);
/* Sends OPTIONS to an address outside (not loopback); the answer comes in probe_status. */
int stage_probe(struct stage *s, const struct addr *peer);

struct dial {
	enum end end;
	const char *caller, *callee;
	int payload[4]; /* offered, in this order; ends with -1 */
	int every_ms;   /* between RTP packets; 0: sends none */
};

/* Starts a call. 0 or negative errno; the party belongs to the stage. */
int party_dial(struct stage *s, const struct dial *d, struct party **ret);
void party_cancel(struct party *p);
/* 0 or negative errno. */
int party_bye(struct party *p);
