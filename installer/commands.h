/*
 * commands: the switchctl lines of the set-up: those that profile and expected load make, then the
 * installer's own, run one after another by switchctl itself.
 *
 * Each that is done is noted in the state at once. A line that says the thing exists is done; a
 * payment gets a request key made of the line, so that no payment is booked twice either.
 */
#pragma once

#include "base/err.h"
#include "setup.h"
#include "state.h"

/* 0; -EINVAL with *err naming the line and what switchctl said; other negative errno. */
int commands_run(const struct setup *s, struct state *st, struct err *err);
