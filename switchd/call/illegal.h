/*
 * illegal: an INVITE from an address that is nobody's leaves a record, never a charge (SERVER_BILLING_RECORD_ILLEGAL_CALL): the first
 * of a source at once, all others of the same minute together in a second one. At most ILLEGAL_PLACES sources a minute: more are
 * a flood, of which there are counts enough (status: unknown_sources).
 *
 * A struct illegal belongs to one worker; struct strangers is what all workers share.
 */
#pragma once

#include "base/cleanup.h"
#include "base/str.h"

struct worker;
struct flow;
struct msg;
struct illegal;
struct strangers;

enum { ILLEGAL_PLACES = 64 };

int strangers_create(struct strangers **ret);
struct strangers *strangers_free(struct strangers *s);
DEFINE_CLEANUP(struct strangers *, strangers_free);

int illegal_create(struct illegal **ret, struct worker *w);
struct illegal *illegal_free(struct illegal *i);
DEFINE_CLEANUP(struct illegal *, illegal_free);

/* It was dropped at the door: not parsed yet, and only the first of a source will be. Anything but an INVITE is nothing. */
void illegal_raw(struct illegal *i, const struct flow *from, struct str raw);
void illegal_message(struct illegal *i, const struct msg *m);
