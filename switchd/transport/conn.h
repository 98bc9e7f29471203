/*
 * conn: one stream connection: framed messages in, queued bytes out, and its deadlines.
 *
 * A connection is never freed under the feet of a caller: when it ends it leaves the tables at
 * once, and its own timer reports it as gone and frees it in the next turn of the wheel.
 *
 *	connecting → shaking (TLS) → open → ending → gone
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/htab.h"
#include "base/list.h"
#include "transport/frame.h"
#include "transport/sink.h"
#include "transport/tls_link.h"

struct stream; /* the worker's connections */

struct conn {
	struct event event;
	struct hnode by_number;
	struct hnode by_peer; /* only those that we opened */
	struct list member;   /* of the stream: unknown ones, longest idle first, or trusted ones */
	struct list dirty;    /* has output that was not tried yet */
	struct timer timer;
	struct stream *stream;
	struct flow flow;
	struct addr local;    /* of one that we opened: the port is the kernel's choice */
	struct tls_link *tls; /* NULL: plain TCP */
	int fd;
	int error; /* why it ends; 0: it does not */
	bool is_trusted;
	bool is_connecting;
	bool is_shaking;    /* hands, of TLS */
	bool is_closing;    /* reads no more, waits for the last answers to leave */
	bool is_paused;     /* the owner of its next message cannot take it now */
	uint32_t events;    /* what epoll was asked for */
	int64_t active_ms;  /* last sign of life that counts */
	int64_t partial_ms; /* first byte of a message not complete yet; 0: none */
	struct frame frame;
	struct buf in;  /* begins with the message not complete yet; empty most of the time */
	struct buf out; /* of which out_sent bytes are gone */
	size_t out_sent;
};

/*
 * Puts fd, connecting or connected, under the stream's loop; tls (NULL: none) is the connection's
 * from there on. On error the caller keeps both.
 */
int conn_create(struct conn **ret, struct stream *s, const struct flow *flow, int fd,
		struct tls_link *tls, bool is_ours);
/* Without a word to anyone. */
void conn_free(struct conn *c);
/* Queues whole messages. 0, -ENOTCONN, -ENOBUFS or -ENOMEM (the last two end it). */
int conn_send(struct conn *c, struct str bytes);
/* Writes what the kernel takes. */
void conn_flush(struct conn *c);
void conn_trust(struct conn *c);
/* Ends it, for this negative errno. */
void conn_end(struct conn *c, int error);

/* For conn*.c alone. A sign of life that counts; reads once; goes on with what a pause kept. */
void conn_alive(struct conn *c);
void conn_read(struct conn *c);
void conn_read_on(struct conn *c);
