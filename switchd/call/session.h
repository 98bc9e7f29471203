/*
 * session: the session timer of one leg (RFC 4028). session.c agrees on it in requests and answers, refresh.c keeps it.
 *
 * A leg has one timer. It means: refresh now; or, once that was not answered or it is the peer's turn, hang up; or, where the peer has no
 * session timers, that the longest call without them is over.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/wheel.h"
#include "model/reason.h"
#include "sip/ext.h"

struct client_txn;
struct leg;

struct session {
	struct timer timer;
	int64_t interval_s; /* Session-Expires agreed on; 0: the peer has no session timer */
	int64_t min_s;      /* the largest Min-SE that the peer named */
	int raises;         /* 422s that it answered with */
	bool is_ours;       /* we refresh */
	bool is_capped;     /* the time of a call without one runs */
	ms_t hang_at;       /* the call ends unless it was refreshed by then */
	bool is_refreshing;
	struct client_txn *refresh;
	/* what the request that is being answered said */
	bool knows_timer;
	int64_t asked_s;
	enum refresher asked_role;
};

/* ---- session.c ---- */
/* May this leg's gateway have session timers? */
bool session_may(const struct leg *l);
/* Header lines for an INVITE or UPDATE that we send. */
void session_put_request(struct leg *l, struct buf *out);
/* What an INVITE or UPDATE says. Anything but REASON_NONE refuses it, with these header lines. */
enum reason session_read_request(struct leg *l, const struct msg *m, struct buf *refusal);
/* Header lines of our 2xx to it; from here on the timer is agreed on. */
void session_put_answer(struct leg *l, struct buf *out);
/* The 2xx to what we sent. */
void session_read_answer(struct leg *l, const struct msg *m);
/* A 422: true if the same request with what it asks for is worth sending. */
bool session_raise(struct leg *l, const struct msg *m);

/* ---- refresh.c ---- */
/* From now on until the next time: the leg is up, or was refreshed. */
void refresh_start(struct leg *l);
void refresh_stop(struct leg *l);
/* A random time to wait before a request that met another is sent again (RFC 3261 §14.1). */
int64_t refresh_glare_ms(const struct leg *l);
