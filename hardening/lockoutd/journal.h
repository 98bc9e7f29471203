/*
 * journal: sshd's failed logins, as they are written. Only what the kernel says was written by root's
 * process of the name sshd is believed.
 */
#pragma once

#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "event.h"

struct journal;

typedef void journal_fn(void *ctx, const struct event *e);

/* 0 or negative errno: there is no journal to be read. */
int journal_open(struct journal **ret, sd_event *ev, journal_fn *on_failure, void *ctx);
struct journal *journal_close(struct journal *j);
DEFINE_CLEANUP(struct journal *, journal_close);
