/*
 * state: how far the set-up has come, kept in /var/lib/tandem-setup/state, so that one which was
 * interrupted goes on where it was and does nothing twice.
 */
#pragma once

#include "base/err.h"
#include "setup.h"

enum { STATE_ID = 65 };

struct state {
	char id[STATE_ID]; /* SHA-256 of the answers it belongs to; other answers begin anew */
	uint32_t commands; /* of the command lines, how many are done */
	bool is_golive_passed;
};

/* What is stored, if it belongs to these answers; else a beginning. 0 or negative errno. */
int state_load(struct state *st, const struct setup *s);
int state_save(const struct state *st, const struct setup *s, struct err *err);
