/*
 * switch-lockoutd: the firewall of the machine and its bans (docs/man/switch-lockoutd.8).
 *
 * One thread in sd-event. The firewall is loaded before anything else is looked at, so that the network
 * never comes up without it; it stays in force when the daemon ends.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "base/log.h"
#include "control/server.h"
#include "guard.h"
#include "ops.h"
#include "options.h"

enum { SECOND_US = 1000 * 1000 };

struct run {
	struct options options;
	struct guard guard;
	sd_event *event;
	sd_event_source *tick;
	struct server *server;
};

/* ---- signals and the second hand ---- */

static int on_term(sd_event_source *s, const struct signalfd_siginfo *si, void *ctx)
{
	struct run *r = ctx;

	(void)s;
	(void)si;
	(void)sd_notify(0, "STOPPING=1");
	log_at(LOG_NOTICE, NULL, "stopping; firewall and bans stay in force");
	return sd_event_exit(r->event, 0);
}

static int on_tick(sd_event_source *s, uint64_t usec, void *ctx)
{
	struct run *r = ctx;

	guard_second(&r->guard, clock_mono_ms());
	(void)sd_notifyf(0, "WATCHDOG=1\nSTATUS=%zu bans", bans_count(r->guard.bans));
	(void)sd_event_source_set_time(s, usec + SECOND_US);
	return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

/* ---- start and stop ---- */

static int block_signals(void)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : 0;
}

static int listen_to_signals(struct run *r)
{
	uint64_t now;
	int e = sd_event_add_signal(r->event, NULL, SIGTERM, on_term, r);

	if (e >= 0)
		e = sd_event_add_signal(r->event, NULL, SIGINT, on_term, r);
	if (e >= 0)
		e = sd_event_now(r->event, CLOCK_MONOTONIC, &now) < 0 ? -EIO : 0;
	if (e >= 0)
		e = sd_event_add_time(r->event, &r->tick, CLOCK_MONOTONIC, now + SECOND_US, 0,
				      on_tick, r);
	return e < 0 ? e : 0;
}

static int make_state_dir(const char *path, struct err *err)
{
	if (mkdir(path, 0750) == 0 || errno == EEXIST)
		return 0;
	return err_set(err, ERR_STORE, "--state", str_of(path), "a folder that can be made",
		       "cannot make it: %s", strerror(errno));
}

static int start(struct run *r, struct err *err)
{
	struct openings openings = OPENINGS_DEFAULT;
	int e = block_signals();

	if (e == 0)
		e = make_state_dir(r->options.state, err);
	if (e == 0)
		e = sd_event_default(&r->event);
	if (e >= 0)
		e = guard_open(&r->guard, r->options.state, err);
	if (e == 0)
		e = guard_load(&r->guard, &openings, err);
	if (e == 0)
		e = server_create(&r->server, r->event, r->options.control, ops_request, &r->guard,
				  err);
	if (e == 0)
		e = listen_to_signals(r);
	return e;
}

static void stop(struct run *r)
{
	r->server = server_free(r->server);
	sd_event_source_unref(r->tick);
	guard_close(&r->guard);
	sd_event_unref(r->event);
}

static void say(const struct err *err, int error)
{
	log_at(LOG_ERR, NULL, "cannot start: %s%s%s%s%s",
	       err->message[0] ? err->message : strerror(-error), err->field[0] ? " (" : "",
	       err->field, err->given[0] ? " " : "", err->given);
	if (err->accepted[0])
		log_at(LOG_ERR, NULL, "what would do: %s", err->accepted);
}

int main(int argc, char **argv)
{
	struct run run = { 0 };
	struct err err = ERR_INIT;
	int e = options_parse(&run.options, argc, argv, &err);

	if (e == 1)
		return EXIT_SUCCESS;
	if (e < 0) {
		say(&err, e);
		return 2;
	}
	e = start(&run, &err);
	if (e < 0) {
		say(&err, e);
		stop(&run);
		return EXIT_FAILURE;
	}
	(void)sd_notify(0, "READY=1");
	(void)sd_event_loop(run.event);
	stop(&run);
	return EXIT_SUCCESS;
}
