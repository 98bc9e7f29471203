/*
 * udp: one UDP socket of one worker, read and written in batches.
 *
 * What is sent in a loop turn is copied into one growing buffer and leaves by sendmmsg. While the
 * kernel takes no more it waits there, up to a limit; what passes that is dropped and counted.
 */
#pragma once

#include "base/buf.h"
#include "transport/sink.h"

struct udp_batch; /* receive buffers, shared by the sockets of a worker */

int udp_batch_create(struct udp_batch **ret);
struct udp_batch *udp_batch_free(struct udp_batch *b);

struct parcel {
	size_t at; /* where in the bytes */
	size_t n;
	struct addr to;
};

struct udp {
	struct event event;
	const struct sink *sink;
	struct udp_batch *batch;
	struct flow flow; /* of what is received here, but for the peer */
	int fd;           /* loan */
	bool is_blocked;  /* waits for EPOLLOUT */
	struct buf bytes;
	struct parcel *parcels;
	size_t first, count, room; /* parcels[first] to parcels[count - 1] are to be sent */
};

/* 0 or negative errno of the loop. */
int udp_init(struct udp *u, const struct sink *sink, struct udp_batch *batch, int fd,
	     uint16_t listener, int worker);
void udp_done(struct udp *u);
/* 0, -EMSGSIZE, -ENOBUFS or -ENOMEM. */
int udp_send(struct udp *u, const struct addr *to, struct str bytes);
void udp_flush(struct udp *u);
