/*
 * switchd: arguments, threads, signals, drain. The main thread waits in sd-event for the control socket, signals and the second
 * hand; everything that has to do with a packet happens in the workers.
 */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "base/log.h"
#include "control/server.h"
#include "crew.h"
#include "ops/ops.h"

enum { LOOK_US = 200000, STUCK_MS = 5000 };

/*
 * Below this a thread's heap keeps what was freed. To give 128 kB back and ask for it again, a page at a time, many times a second, cost
 * 6 % of a call (300 calls a second).
 */
enum { KEEP_BYTES = 16 << 20 };

struct run {
	struct options options;
	struct crew crew;
	struct ops *ops;
	struct server *server;
	sd_event *event;
	sd_event_source *tick;
	int64_t drain_until; /* monotonic ms; 0: not draining */
	int64_t pinged;
	bool is_ended; /* the calls that were left have been told to end */
};

/* ---- signals and the second hand ---- */

static int on_term(sd_event_source *s, const struct signalfd_siginfo *si, void *ctx)
{
	struct run *r = ctx;
	int64_t now = clock_mono_ms();

	(void)s;
	(void)si;
	if (r->drain_until == 0) {
		log_at(LOG_NOTICE, NULL, "stopping: no new calls, %u in progress",
		       atomic_load(&r->crew.hub.calls));
		(void)sd_notify(0, "STOPPING=1");
		r->drain_until = now + (int64_t)r->options.drain_s * 1000;
	} else {
		r->drain_until = now; /* asked twice: at once */
	}
	atomic_store(&r->crew.hub.draining, true);
	return 0;
}

static int on_hup(sd_event_source *s, const struct signalfd_siginfo *si, void *ctx)
{
	(void)s;
	(void)si;
	(void)ctx;
	log_at(LOG_NOTICE, NULL,
	       "reload: configuration acts at once in any case, there is nothing to read again");
	return 0;
}

static void drain(struct run *r, int64_t now)
{
	if (r->drain_until == 0)
		return;
	if (atomic_load(&r->crew.hub.calls) == 0) {
		(void)sd_event_exit(r->event, 0);
	} else if (now >= r->drain_until && !r->is_ended) {
		r->is_ended = true;
		crew_ask(&r->crew, ASK_END_ALL);
	} else if (r->is_ended && now >= r->drain_until + STUCK_MS) {
		(void)sd_event_exit(r->event, 0);
	}
}

/* The watchdog is fed only while every worker makes its turns. */
static int on_tick(sd_event_source *s, uint64_t usec, void *ctx)
{
	struct run *r = ctx;
	int64_t now = clock_mono_ms();

	drain(r, now);
	if (now - r->pinged >= 1000) {
		if (crew_is_alive(&r->crew, STUCK_MS))
			(void)sd_notifyf(0, "WATCHDOG=1\nSTATUS=%u calls",
					 atomic_load(&r->crew.hub.calls));
		crew_ask(&r->crew, ASK_PING);
		r->pinged = now;
	}
	(void)sd_event_source_set_time(s, usec + LOOK_US);
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
	return sigprocmask(SIG_BLOCK, &set, NULL);
}

static int listen_to_signals(struct run *r)
{
	uint64_t now;
	int e = sd_event_add_signal(r->event, NULL, SIGTERM, on_term, r);

	if (e >= 0)
		e = sd_event_add_signal(r->event, NULL, SIGINT, on_term, r);
	if (e >= 0)
		e = sd_event_add_signal(r->event, NULL, SIGHUP, on_hup, r);
	if (e >= 0)
		e = sd_event_now(r->event, CLOCK_MONOTONIC, &now) < 0 ? -EIO : 0;
	if (e >= 0)
		e = sd_event_add_time(r->event, &r->tick, CLOCK_MONOTONIC, now + LOOK_US, 0,
				      on_tick, r);
	return e < 0 ? e : 0;
}

static int make_data_dir(const char *path, struct err *err)
{
	if (mkdir(path, 0750) == 0 || errno == EEXIST)
		return 0;
	return err_set(err, ERR_STORE, "--data", str_of(path), "a directory that can be made",
		       "cannot make it: %s", strerror(errno));
}

/* Once, not once a socket: they all meet the same limit. */
static void say_buffers(const struct crew *c)
{
	uint64_t given = worker_buffer_bytes(c->worker[0]);

	if (given > 0 && given < TRANSPORT_BUFFER_BYTES)
		log_at(LOG_WARNING, NULL,
		       "SIP sockets asked for a receive buffer of %d bytes and were given %" PRIu64
		       ": bursts may be lost; net.core.rmem_max is too low (switch-tune apply)",
		       TRANSPORT_BUFFER_BYTES, given);
}

static int start(struct run *r, struct err *err)
{
	int e = block_signals() < 0 ? -errno : make_data_dir(r->options.data_dir, err);

	if (e == 0)
		e = sd_event_default(&r->event);
	if (e >= 0)
		e = crew_open(&r->crew, &r->options, err);
	if (e == 0) {
		struct ops_config o = { .hub = &r->crew.hub,
					.event = r->event,
					.data_dir = r->options.data_dir,
					.machine_file = r->options.machine_file,
					.overrides = r->options.params,
					.is_overridden = r->options.is_set,
					.asks = r->crew.asks,
					.answers = r->crew.answers };

		e = ops_create(&r->ops, &o, err);
	}
	if (e == 0)
		e = crew_start(&r->crew, &r->options, err);
	if (e == 0) {
		say_buffers(&r->crew);
		e = ops_start(r->ops);
	}
	if (e == 0)
		e = server_create(&r->server, r->event, r->options.control, ops_request, r->ops,
				  err);
	if (e == 0)
		e = listen_to_signals(r);
	return e;
}

static void stop(struct run *r)
{
	r->server = server_free(r->server);
	for (int i = 0; r->crew.worker && i < r->crew.hub.workers; i++) {
		if (r->crew.worker[i])
			worker_stop(r->crew.worker[i]);
	}
	r->ops = ops_free(r->ops);
	crew_stop(&r->crew);
	crew_free(&r->crew);
	sd_event_source_unref(r->tick);
	sd_event_unref(r->event);
	options_done(&r->options);
}

static void say(const struct err *err, int error)
{
	log_at(LOG_ERR, NULL, "cannot start: %s%s%s%s%s%s",
	       err->message[0] ? err->message : strerror(-error), err->field[0] ? " (" : "",
	       err->field, err->given[0] ? " " : "", err->given, err->field[0] ? ")" : "");
	if (err->accepted[0])
		log_at(LOG_ERR, NULL, "what would do: %s", err->accepted);
}

int main(int argc, char **argv)
{
	struct run run = { 0 };
	struct err err = ERR_INIT;
	int e = options_parse(&run.options, argc, argv, &err);

	(void)mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
	if (e == 1) {
		options_done(&run.options);
		return EXIT_SUCCESS;
	}
	if (e < 0) {
		say(&err, e);
		options_done(&run.options);
		return 2;
	}
	e = start(&run, &err);
	if (e < 0) {
		say(&err, e);
		stop(&run);
		return EXIT_FAILURE;
	}
	log_at(LOG_NOTICE, NULL, "ready: %d workers", run.options.workers);
	(void)sd_notify(0, "READY=1");
	(void)sd_event_loop(run.event);
	stop(&run);
	return EXIT_SUCCESS;
}
