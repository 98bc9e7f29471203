/*
 * worker: a signalling thread: loop, sockets, transactions, and the calls that live and die on it.
 *
 * The main thread asks it questions by mail (list, show, hang up) and gets text back.
 */
#pragma once

#include "base/cleanup.h"
#include "base/err.h"
#include "call/hub.h"
#include "call/inquiry.h"
#include "transport/transport.h"

struct worker;

struct worker_config {
	struct hub *hub;
	int index;
	const struct listen_spec *listen;
	int listen_count;
	struct ring *const *to, *const *from; /* datagrams handed over: to[w], from[w] */
	struct ring *const *notes_to, *const *notes_from; /* registrations: registrar.h */
	struct ring *asks, *answers; /* the main thread's mail, and ours to it */
};

enum ask_kind {
	ASK_PING,          /* makes a loop turn, which stats.alive_ms shows; no answer */
	ASK_LIST,          /* JSON array of the calls here */
	ASK_REGISTRATIONS, /* JSON array of the registrations that this worker keeps */
	ASK_KNOCKS,        /* JSON array of the sources whose messages this worker has dropped */
	ASK_SHOW,          /* JSON object of the call with this id, or the empty text */
	ASK_END_ALL,       /* every call here is ended (SwitchRestarted); no answer */
	ASK_FORGET,        /* the registration of this user ends; no answer */
	ASK_HANGUP,        /* "true" if it was here and is being ended, or the empty text */
	ASK_TRACE, /* a trace begins: the tracer is told of the calls that are up; no answer */
	ASK_TEST_ADDRESS, /* the same of one address, whosever it is */
	ASK_TEST_GATEWAY, /* OPTIONS to each address of a routing gateway; JSON array, when it is over */
	ASK_TEST_CALL, /* a call of the switch's own through it; JSON object, when it is over */
};

/* What a test is to do; an answer {"error": text} says why it was not begun. */
struct ask_test {
	char gateway[256 + 1];
	struct addr address; /* of ASK_TEST_ADDRESS, and */
	enum proto proto;    /* ... how */
	char callee[NUMBER_MAX + 1], caller[NUMBER_MAX + 1];
	int count;          /* of OPTIONS */
	int ring_s, talk_s; /* how long it may ring, and how long it is up */
};

struct ask {
	enum ask_kind kind;
	uint32_t ref; /* comes back with the answer */
	int64_t call_id;
	char actor[32];
	char user[USER_MAX + 1];
	struct ask_test test;
};

struct ask_answer {
	uint32_t ref;
	int worker;
	char *text; /* malloced; the reader's from here on; NULL for want of memory */
};

int worker_create(struct worker **ret, const struct worker_config *c, struct err *err);
/* Starts the thread. */
int worker_start(struct worker *w);
/* The smallest receive buffer that the kernel gave its UDP sockets; 0 without any. */
uint64_t worker_buffer_bytes(const struct worker *w);
/* Ends every call (drain has been waited for), joins the thread. */
void worker_stop(struct worker *w);
struct worker *worker_free(struct worker *w);
DEFINE_CLEANUP(struct worker *, worker_free);
