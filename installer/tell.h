/* tell: how the set-up goes on, for whoever looks on: a console, or a screen. */
#pragma once

#include "base/str.h"

enum tell_kind {
	TELL_STEP,   /* a new step begins */
	TELL_CHANGE, /* something was changed */
	TELL_NOTE,   /* something else worth knowing */
	TELL_BAD,    /* it went wrong: why, and what to do */
};

struct tell {
	void (*fn)(void *ctx, enum tell_kind kind, struct str text); /* NULL: nobody looks on */
	void *ctx;
};

__attribute__((format(printf, 3, 4))) void tell_say(const struct tell *t, enum tell_kind kind,
						    const char *fmt, ...);
