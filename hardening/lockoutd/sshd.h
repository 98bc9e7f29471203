/*
 * sshd: what a line of sshd's log says about who failed.
 *
 * The line holds a name that the attacker chose, so it is read from its end: address and port are the last
 * things that sshd writes, behind anything that a name could pretend.
 */
#pragma once

#include "event.h"

/* 0 with an event of proof tcp, or -ENOENT: it speaks of no failure. */
int sshd_read(struct str line, struct event *ret);
