/*
 * reel: the last packets of strangers, in memory, and as a capture file (pcap, LINKTYPE_RAW, in the byte order of this machine:
 * readers tell by the magic number).
 *
 * What they hold, and the messages of nflog around them, is others': everything is measured before it is read. No system call but
 * for the time.
 */
#pragma once

#include <stddef.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/cleanup.h"

enum {
	REEL_SNAP = 512, /* octets kept of a packet */
	REEL_PACKETS = 2048,
	REEL_OF_SOURCE = 32, /* the last ones, in a capture file */
	REEL_FILE_MAX = 24 + REEL_OF_SOURCE * (16 + REEL_SNAP),
};

struct reel;

/* 0 or -ENOMEM. */
int reel_create(struct reel **ret);
struct reel *reel_free(struct reel *r);
DEFINE_CLEANUP(struct reel *, reel_free);

/* The packets of nflog's netlink messages, aligned as such; what is none is passed over. */
void reel_take(struct reel *r, const void *messages, size_t n);
/* The last packets of a source as a capture file, oldest first, appended to *out; nothing if there are none. How many. */
size_t reel_put(const struct reel *r, const struct cidr *net, struct buf *out);
/* How many whole packets a capture file of ours holds. */
size_t reel_count(struct str file);
