/*
 * reliable: provisional responses that are acknowledged by PRACK (RFC 3262), hop by hop: towards the caller we send them, of a vendor we
 * acknowledge them at once. The gateway's field rel100 says where.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/wheel.h"
#include "model/reason.h"

struct leg;
struct msg;
struct server_txn;
struct source;

struct reliable {
	bool is_agreed; /* a description in such a response was acknowledged: UPDATE may change it */
	/* towards the caller only */
	bool is_wanted;
	bool is_open; /* one was sent and waits for its PRACK; the next ones wait for that */
	bool open_has_sdp;
	bool answer_waits; /* so does the 200 (RFC 3262 §3) */
	uint32_t rseq;
	struct timer timer;
	int64_t wait_ms;
	ms_t give_up_at;
	struct list waiting;
	int waiting_count;
};

/* What the INVITE of a caller says, against its gateway. Anything but REASON_NONE refuses it, with these header lines. */
enum reason reliable_read_invite(struct leg *l, const struct source *s, const struct msg *m,
				 struct buf *refusal);
/* A provisional response to the caller. */
void reliable_tell(struct leg *caller, int code, struct str sdp);
/* True: the 200 has to wait; answer_booked is called again when it may leave. */
bool reliable_holds_answer(struct leg *caller);
/* A PRACK came. */
void reliable_acked(struct leg *l, struct server_txn *t, const struct msg *m);
void reliable_stop(struct leg *l);

/* Header lines of the INVITE to a vendor; REASON_UPSTREAM_FAILURE: this vendor cannot have the call. */
enum reason reliable_put_invite(const struct leg *l, struct buf *out);
/* A vendor's provisional response: acknowledged if it asks for that. False: it is to be ignored. */
bool reliable_received(struct leg *l, const struct msg *m);
