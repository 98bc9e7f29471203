/*
 * worker: a signalling thread: loop, sockets, transactions, and the calls that live and die on it.
 *
 * The main thread asks it questions by mail (list, show, hang up) and gets text back.
 */
#pragma once

#include "base/cleanup.h"
#include "base/err.h"
#include "call/hub.h"
#include "transport/transport.h"

struct worker;

struct worker_config {
	struct hub *hub;
	int index;
	const struct listen_spec *listen;
	int listen_count;
	struct ring *const *to, *const *from; /* datagrams handed over: to[w], from[w] */
	struct ring *asks, *answers;          /* the main thread's mail, and ours to it */
};

enum ask_kind {
	ASK_PING,    /* makes a loop turn, which stats.alive_ms shows; no answer */
	ASK_LIST,    /* JSON array of the calls here */
	ASK_SHOW,    /* JSON object of the call with this id, or the empty text */
	ASK_END_ALL, /* every call here is ended (SwitchRestarted); no answer */
	ASK_HANGUP,  /* "true" if it was here and is being ended, or the empty text */
};

struct ask {
	enum ask_kind kind;
	uint32_t ref; /* comes back with the answer */
	int64_t call_id;
	char actor[32];
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
