/*
 * console: tells how the set-up goes on, in lines with the time it has taken, for people and logs.
 *
 * A machine has two consoles and one of them does the work: what it prints is kept in
 * /var/lib/tandem-setup/log, and the other one shows that.
 */
#pragma once

#include "base/clock.h"
#include "model/answers_file.h"
#include "place.h"
#include "tell.h"

struct console {
	ms_t began;
	int log; /* -1 = none */
};

/* A tell that prints to stdout, and to the log once there is one. c must outlive it. */
struct tell console_tell(struct console *c);
/* Begins a log below p; without one (the disk is full ...) the set-up still goes on. */
void console_open_log(struct console *c, const struct place *p);
void console_close_log(struct console *c);
/* Takes the set-up's lock. While another one has it, shows what that one prints. As lock_take. */
int console_lock(const struct console *c, const struct place *p);
/*
 * A refusal: what, which field, what was given, what would be accepted. On stderr, or on a terminal
 * that is stdout, where somebody looks.
 */
void console_err(const struct console *c, const struct err *err);
void console_report(const struct console *c, const char *name, const struct answers_report *report);
