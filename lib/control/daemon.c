#include "control/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"

struct daemon {
	struct daemon_duties duties;
	void *ctx;
	sd_event_source *term, *interrupt, *hup, *tick;
};

int daemon_block_signals(void)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : 0;
}

int daemon_make_folder(const char *path, const char *option, struct err *err)
{
	if (mkdir(path, 0750) == 0 || errno == EEXIST)
		return 0;
	return err_set(err, ERR_STORE, option, str_of(path), "a folder that can be made",
		       "cannot make it: %s", strerror(errno));
}

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *ctx)
{
	struct daemon *d = ctx;

	(void)s;
	if (si->ssi_signo == SIGHUP)
		d->duties.hup(d->ctx);
	else
		d->duties.term(d->ctx);
	return 0;
}

static int on_tick(sd_event_source *s, uint64_t usec, void *ctx)
{
	struct daemon *d = ctx;

	d->duties.tick(d->ctx);
	(void)sd_event_source_set_time(s, usec + d->duties.tick_us);
	return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

int daemon_attend(struct daemon **ret, sd_event *event, const struct daemon_duties *duties,
		  void *ctx)
{
	CLEANUP(daemon_free) struct daemon *d = calloc(1, sizeof(*d));
	uint64_t now;

	if (!d)
		return -ENOMEM;
	d->duties = *duties;
	d->ctx = ctx;
	int e = sd_event_now(event, CLOCK_MONOTONIC, &now) < 0 ? -EIO : 0;
	if (e == 0)
		e = sd_event_add_signal(event, &d->term, SIGTERM, on_signal, d);
	if (e >= 0)
		e = sd_event_add_signal(event, &d->interrupt, SIGINT, on_signal, d);
	if (e >= 0)
		e = sd_event_add_signal(event, &d->hup, SIGHUP, on_signal, d);
	if (e >= 0)
		e = sd_event_add_time(event, &d->tick, CLOCK_MONOTONIC, now + duties->tick_us, 0,
				      on_tick, d);
	if (e < 0)
		return e;
	*ret = TAKE(d);
	return 0;
}

struct daemon *daemon_free(struct daemon *d)
{
	if (!d)
		return NULL;
	sd_event_source_unref(d->term);
	sd_event_source_unref(d->interrupt);
	sd_event_source_unref(d->hup);
	sd_event_source_unref(d->tick);
	free(d);
	return NULL;
}

/* ---- a life ---- */

static int begin(const struct daemon_life *life, void *ctx, sd_event **event, struct err *err)
{
	int e = daemon_block_signals();

	if (e == 0)
		e = sd_event_default(event);
	return e < 0 ? e : life->start(ctx, *event, err);
}

int daemon_live(const struct daemon_life *life, void *ctx, int argc, char **argv)
{
	sd_event *event = NULL;
	struct err err = ERR_INIT;
	int e = life->parse(ctx, argc, argv, &err);

	if (e == 1)
		return EXIT_SUCCESS;
	if (e < 0) {
		log_failure(&err, e);
		return 2;
	}
	e = begin(life, ctx, &event, &err);
	if (e < 0) {
		log_failure(&err, e);
	} else {
		(void)sd_notify(0, "READY=1");
		(void)sd_event_loop(event);
	}
	life->stop(ctx);
	sd_event_unref(event);
	return e < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
