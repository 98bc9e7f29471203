/*
 * tracer: the thread that keeps what the workers' taps catch, and passes it on to a capture server.
 *
 * The taps are open while a trace runs or a capture server is set. Everything else here is asked by the main thread and
 * takes the tracer's lock, which no signalling thread ever does.
 */
#pragma once

#include <jansson.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "trace/filter.h"
#include "trace/ladder.h"
#include "trace/tap.h"

struct tracer;

/* 0 or negative errno. */
int tracer_create(struct tracer **ret, int workers);
int tracer_start(struct tracer *t);
/* Joins the thread; the taps must be silent by then. */
struct tracer *tracer_free(struct tracer *t);
DEFINE_CLEANUP(struct tracer *, tracer_free);

/* The tap of a worker; a loan. */
struct tap *tracer_tap(struct tracer *t, int worker);
/* Memory for messages; the capture server, NULL: none. 0 or the negative errno of its socket. */
int tracer_configure(struct tracer *t, size_t bytes, const struct addr *hep);

/* Forgets what is kept and begins; wall_ms: now; until_ms: 0 or when it ends by itself. */
void tracer_begin(struct tracer *t, const struct trace_filter *f, ms_t wall_ms, ms_t until_ms);
/* What was kept stays. */
void tracer_end(struct tracer *t);
/* Ends it if its time is over; once a second. */
void tracer_look(struct tracer *t, ms_t wall_ms);

/* Whether it runs, its filter, what it has kept and lost, and the capture server's counts. NULL for want of memory. */
json_t *tracer_state(struct tracer *t);
/* The calls that are kept, the one that spoke last first. */
json_t *tracer_list(struct tracer *t, size_t limit);
/* The picture of the call with this id or Call-ID. -ENOENT; buf_error of *out. */
int tracer_show(struct tracer *t, struct str key, const struct ladder_options *o, struct buf *out);
/*
 * A page of a capture file, of the call `key` or (empty) of all that is kept, from the wall time `from` (us) on; *ret_next
 * is where the next one begins, 0 at the end. 0, -ENOENT or buf_error of *out.
 */
int tracer_export(struct tracer *t, struct str key, bool with_secrets, uint64_t from,
		  struct buf *out, uint64_t *ret_next);
