/*
 * knocks: who is knocking: sources that are nobody's, whose messages are dropped in silence. So an operator sees the customer whose address is
 * not entered yet, and what he dials (behaviour.md).
 *
 * Belongs to one worker. Bounded and O(1): KNOCKS places in sets of eight. A new source takes the place of one that was silent for
 * KNOCK_KEEP_MS, else of the one with the fewest messages, else the oldest: forged addresses with a message each push out their like.
 * What a message says is read for the first of a source, then once a second, of KNOCKS_READ messages a second in all.
 */
#pragma once

#include <jansson.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "transport/flow.h"

struct msg;
struct knocks;

enum { KNOCKS = 256, KNOCKS_READ = 50, KNOCK_KEEP_MS = 24 * 3600 * 1000 };

/* 0 or -ENOMEM. */
int knocks_create(struct knocks **ret);
struct knocks *knocks_free(struct knocks *k);
DEFINE_CLEANUP(struct knocks *, knocks_free);

/* A message was dropped: as it came, empty if it was none (a TLS handshake that was not begun); or parsed already. */
void knocks_raw(struct knocks *k, const struct flow *from, struct str raw, ms_t mono_ms);
void knocks_message(struct knocks *k, const struct msg *m, ms_t mono_ms);

/* An array of objects, each source once, in no order; members as knock.list names them. NULL: -ENOMEM. */
json_t *knocks_json(const struct knocks *k);
