/*
 * ported: where numbers are that have moved to another carrier: what an LRN server answers (a redirection with rn, RFC 4694), and the
 * answers of the last hours.
 *
 * The store belongs to one worker's thread and is bounded: a newer answer takes the place of an older one. Time is passed in.
 */
#pragma once

#include "base/cleanup.h"
#include "base/clock.h"
#include "sip/msg.h"

enum { PORTED_DIGITS = 40 };

/*
 * 1: *ret is the routing number that a Contact of a 3xx names; 0: the server knows the number and names none; -ENOENT: it does not say.
 */
int ported_read(const struct msg *m, char ret[PORTED_DIGITS + 1]);
/* The same of one sip or tel URI; -ENODATA: it has neither rn nor npdi; -ENOENT: it cannot be read. *ret is written in any case. */
int ported_uri(struct str uri, char ret[PORTED_DIGITS + 1]);

struct ported;

/* 0 or -ENOMEM. */
int ported_create(struct ported **ret);
struct ported *ported_free(struct ported *p);
DEFINE_CLEANUP(struct ported *, ported_free);

/* key: a hash of server and number that nobody can aim at (htab_hash2). False: nothing is kept. An empty *ret: it is not ported. */
bool ported_find(const struct ported *p, uint64_t key, ms_t now_ms, char ret[PORTED_DIGITS + 1]);
void ported_keep(struct ported *p, uint64_t key, const char *digits, ms_t until_ms);
