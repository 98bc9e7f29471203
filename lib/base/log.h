/*
 * log: one line out, with fields: to the journal under systemd, else to stderr.
 *
 *	log_at(LOG_WARNING, FIELDS(.gateway = g->name), "no answer in %d ms", ms);
 *
 * The text is a plain sentence; what identifies a call goes into fields. Control characters are
 * replaced, a line is cut at 1 kB. Safe from any thread. What a stranger's packet can trigger is
 * never logged above debug.
 */
#pragma once

#include <syslog.h>

#include "base/err.h"

struct log_fields {
	const char *call_id;
	const char *gateway;
	const char *account;
};

#define FIELDS(...) (&(const struct log_fields){ __VA_ARGS__ })

/* Lines above this level (LOG_DEBUG = everything) are dropped; LOG_INFO at start. */
void log_set_level(int level);
__attribute__((format(printf, 3, 4))) void log_at(int level, const struct log_fields *fields,
						  const char *fmt, ...);
/* Why a program cannot start; err may be empty, error is a negative errno. */
void log_failure(const struct err *err, int error);
