/*
 * daemon: what every daemon here has around its work: signals and the second hand in sd-event, and
 * its folder.
 */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "base/err.h"

struct daemon_duties {
	void (*term)(void *ctx); /* SIGTERM, SIGINT */
	void (*hup)(void *ctx);  /* SIGHUP */
	void (*tick)(void *ctx);
	uint64_t tick_us;
};

/*
 * A daemon from its command line to its end. parse says 1 when all that was asked is said; start is given the event loop of the
 * whole daemon, stop what start has left, also half of it.
 */
struct daemon_life {
	int (*parse)(void *ctx, int argc, char **argv, struct err *err);
	int (*start)(void *ctx, sd_event *event, struct err *err);
	void (*stop)(void *ctx);
};

/* What main returns: 0, 1 if it could not start, 2 for wrong words. Signals are blocked before start; systemd is told. */
int daemon_live(const struct daemon_life *life, void *ctx, int argc, char **argv);

struct daemon;

/* Before any thread: SIGTERM, SIGINT and SIGHUP wait for daemon_attend, SIGPIPE is ignored. 0 or negative errno. */
int daemon_block_signals(void);
/* The folder of a daemon's state, 0750; it may be there. `option` names it in *err. */
int daemon_make_folder(const char *path, const char *option, struct err *err);
/* From here on the duties are done, in the event's thread. *duties is copied, ctx is a loan. 0 or negative errno. */
int daemon_attend(struct daemon **ret, sd_event *event, const struct daemon_duties *duties,
		  void *ctx);
struct daemon *daemon_free(struct daemon *d);
DEFINE_CLEANUP(struct daemon *, daemon_free);
