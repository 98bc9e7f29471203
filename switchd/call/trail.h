/*
 * trail: what was decided about a call, step by step, as a JSON array that is kept with its CDR, so that `cdr explain` and
 * `route explain` say the same (behaviour.md: every CDR keeps its decisions).
 */
#pragma once

#include "base/buf.h"

struct trail {
	struct buf json; /* the array without its brackets */
	bool is_off;     /* nobody will read it */
};

void trail_done(struct trail *t);
/* step: what was looked at; verdict: "ok", "skip", "refuse", "sent", ...; the rest says why, with the limit's value. Memory running short
 * loses the step, never the call. */
__attribute__((format(printf, 4, 5))) void trail_add(struct trail *t, const char *step,
						     const char *verdict, const char *fmt, ...);
/* The same about the n-th vendor that was tried: what came of it after so many ms of the call; code 0 and reason NULL: none. */
struct attempt {
	uint32_t n;
	int code;
	const char *reason;
	int64_t ms;
};
__attribute__((format(printf, 5, 6))) void trail_try(struct trail *t, const char *gateway,
						     const char *verdict, const struct attempt *a,
						     const char *fmt, ...);
/* The whole array; valid until the next trail_add. */
struct str trail_text(struct trail *t, struct buf *scratch);
