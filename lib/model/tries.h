/*
 * tries: wrong passwords of operators in a row, and for how long none is taken after too many.
 *
 * After `failures` of them none is taken for pause_s, the next time for twice as long, and so on, but never for longer than
 * longest_s. A right password begins anew, and so does longest_s without a wrong one. The count is kept in a file, which all
 * consoles of the machine share and a restart does not empty. Times are wall clock; a lock that a clock which was set back would
 * make longer than longest_s is none.
 */
#pragma once

#include "base/clock.h"
#include "base/err.h"

#define TRIES_PATH "/var/lib/tandem-host/console-tries"

/* SS_MAX_LOGIN_FAILED, SERVER_LOGIN_FAILED_DISABLE_TIME and SS_LOGIN_LOCK_TIME; kept for when switchd cannot say them. */
struct tries_limits {
	uint32_t failures, pause_s, longest_s;
};

struct tries {
	struct tries_limits limits;
	uint32_t failures; /* since the last lock or right password */
	uint32_t wrong;    /* since the last right one */
	uint32_t locks;    /* in a row */
	ms_t last;         /* wrong one */
	ms_t until;        /* no password is taken before */
	bool is_only_here; /* the file could not be written: what it holds is older */
};

/* None, with the limits that the parameters have by default. */
void tries_begin(struct tries *t);
/* A wrong one. */
void tries_fail(struct tries *t, ms_t wall);
/* How long none is taken; 0: one is. */
ms_t tries_left(const struct tries *t, ms_t wall);

/* 1: what the file holds (if that makes no sense: none); 0: there is none; negative errno with *err: it cannot be read. */
int tries_read(const char *path, struct tries *ret, struct err *err);
/*
 * Reads it, notes a password, right or wrong, by these limits (NULL: those that it holds), and writes it; nobody else writes
 * meanwhile. Without a file *ret is what was before. *ret is what it holds then; after a negative errno (*err says why) what
 * it would.
 */
int tries_note(const char *path, const struct tries_limits *l, bool is_right, ms_t wall,
	       struct tries *ret, struct err *err);
