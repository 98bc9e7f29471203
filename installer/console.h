/* console: tells how the set-up goes on, in lines with the time it has taken, for people and logs. */
#pragma once

#include "base/clock.h"
#include "model/answers_file.h"
#include "tell.h"

struct console {
	ms_t began;
};

/* A tell that prints to stdout. c must outlive it. */
struct tell console_tell(struct console *c);
/* A refusal on stderr: what, which field, what was given, what would be accepted. */
void console_err(const struct err *err);
void console_report(const char *name, const struct answers_report *report);
