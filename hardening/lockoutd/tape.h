/*
 * tape: the last packets of strangers as they came in, so that a ban can show what it is for.
 *
 * The kernel copies them to us (nflog), at most as many a second as the rule says, whatever comes: a flood
 * costs no more than that. They stand in a ring (reel.h); when a ban is made by evidence those of its source go to a
 * file of their own, and when it is lifted the file goes. Everything is bounded: packets in the ring, packets
 * a file, files.
 */
#pragma once

#include <systemd/sd-event.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "exempt.h"

enum {
	TAPE_GROUP = 5060, /* of nflog; the rule names it */
	TAPE_FILES = 1024,
};

struct tape;

/* 0; -ENOTSUP and others: this kernel copies nothing. */
int tape_open(struct tape **ret, sd_event *ev, const char *state_dir);
struct tape *tape_close(struct tape *t);
DEFINE_CLEANUP(struct tape *, tape_close);

/* What is there of a source (ban_net) becomes its file. 0 or negative errno; no packets, no file. */
int tape_keep(struct tape *t, const struct cidr *net);
void tape_drop(struct tape *t, const struct cidr *net);
/*
 * A capture file of a source, kept or still in the ring, appended to *out; how many packets in *ret. 0, or
 * negative errno.
 */
int tape_read(struct tape *t, const struct cidr *net, struct buf *out, size_t *ret);
