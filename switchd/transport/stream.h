/*
 * stream: the stream connections of one worker: accepts, opens, finds and limits them.
 */
#pragma once

#include <stdbool.h>

#include "base/htab.h"
#include "base/list.h"
#include "transport/listener.h"
#include "transport/sink.h"
#include "transport/tls_policy.h"

struct conn;
struct door; /* a listening socket in the loop */

enum { STREAM_READ = 64 * 1024 };

struct stream {
	const struct sink *sink;
	int worker;
	const struct listener *listener; /* loan; all listeners, of datagrams too */
	int listener_count;
	struct door *doors;  /* as many */
	struct timer reopen; /* of the doors, after the process ran out of descriptors */
	struct htab by_number, by_peer;
	struct tls_policies policies;
	struct list unknown; /* oldest sign of life first */
	struct list trusted;
	struct list ended; /* out of the tables, to be reported by their timers */
	struct list dirty; /* to be flushed */
	uint32_t last_number;
	char *scratch; /* STREAM_READ bytes, what a read goes to */
};

/* 0 or negative errno. */
int stream_init(struct stream *s, const struct sink *sink, int worker,
		const struct listener *listener, int count);
void stream_done(struct stream *s);
/* By the connection's number, or to the peer: opened if there is none. Errors as transport_send. */
int stream_send(struct stream *s, const struct flow *to, struct str bytes);
/* Number of the connection that we opened to this peer; 0 if there is none. */
/* Our end of a connection that we opened, or NULL. */
const struct addr *stream_local(const struct stream *s, const struct flow *f);
uint32_t stream_conn(const struct stream *s, const struct flow *f);
void stream_flush(struct stream *s);
void stream_trust(struct stream *s, const struct flow *f);

/* For conn alone: joins the tables and gets a number; leaves them for the list of the ended. */
void stream_add(struct stream *s, struct conn *c);
void stream_remove(struct stream *s, struct conn *c);
/*
 * For stream*.c alone. Puts a connected or connecting (is_ours) socket among the connections if the
 * quota allows; takes fd over, whatever happens. The doors open and close.
 */
int stream_adopt(struct stream *s, const struct flow *f, int fd, bool is_ours, struct conn **ret);
int doors_open(struct stream *s);
void doors_close(struct stream *s);
