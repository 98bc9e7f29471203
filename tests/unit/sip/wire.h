/*
 * wire: transactions under test, without sockets or clocks. transport_send is replaced by one that
 * keeps what is sent, and time is made up: 32 s take microseconds.
 *
 * What happens is noted in a trace, one word each, in the order it happened: ">180" or ">ACK" for
 * what is sent, and whatever the test's callbacks add by wire_note.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/loop.h"
#include "sip/txn.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct wire {
	struct loop loop;
	struct sip *sip;
	struct buf trace;
	struct buf last; /* what was sent last */
	struct flow last_flow;
	int fails_with; /* what transport_send says; 0: it works */
	/* Takes what is sent in place of the trace; NULL: the trace does. */
	void (*on_send)(void *ctx, const struct flow *to, struct str bytes);
	void *ctx;
};

/* 0 or -ENOMEM. */
int wire_init(struct wire *w, const struct sip_user *user);
void wire_done(struct wire *w);
/* Receives what is written with line feeds only, over this flow. */
void wire_receive(struct wire *w, const struct flow *from, const char *lines);
/* Lets the time pass, each timer at its moment. */
void wire_later(struct wire *w, int64_t ms);
__attribute__((format(printf, 2, 3))) void wire_note(struct wire *w, const char *fmt, ...);
/* Compares and forgets the trace. what: for the failure's message. */
void wire_expect(struct wire *w, const char *what, const char *expected);

/* A peer at 192.0.2.9:5060, over UDP and over a TCP connection. */
extern const struct flow over_udp, over_tcp;
