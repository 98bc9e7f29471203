/*
 * switchd: arguments, threads, signals, drain. The main thread waits in sd-event for the control socket, signals and the second
 * hand; everything that has to do with a packet happens in the workers.
 */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "base/log.h"
#include "control/daemon.h"
#include "control/server.h"
#include "control/sock.h"
#include "crew.h"
#include "ops/ops.h"
#include "report/restore.h"

enum { LOOK_US = 200000, STUCK_MS = 5000, LEAVE_MS = 1500 };

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
	struct daemon *daemon;
	int64_t drain_until; /* monotonic ms; 0: not draining */
	int64_t stopping_since;
	int64_t pinged;
	bool is_ended; /* the calls that were left have been told to end */
};

/* ---- signals and the second hand ---- */

static void on_term(void *ctx)
{
	struct run *r = ctx;
	int64_t now = clock_mono_ms();

	if (r->drain_until == 0) {
		log_at(LOG_NOTICE, NULL, "stopping: no new calls, %u in progress",
		       atomic_load(&r->crew.hub.calls));
		(void)sd_notify(0, "STOPPING=1");
		r->drain_until = now + (int64_t)r->options.drain_s * 1000;
		r->stopping_since = now;
	} else {
		r->drain_until = now; /* asked twice: at once */
	}
	atomic_store(&r->crew.hub.draining, true);
	crew_ask(&r->crew, ASK_PING); /* so that they notice now */
}

static void on_hup(void *ctx)
{
	struct run *r = ctx;

	log_at(LOG_NOTICE, NULL, "reload: certificates; all else acts at once in any case");
	crew_load_tls(&r->crew);
}

static void drain(struct run *r, int64_t now)
{
	if (r->drain_until == 0)
		return;
	/* What stands at vendors is taken back first, if they let us. */
	if (atomic_load(&r->crew.hub.calls) == 0 &&
	    (atomic_load(&r->crew.hub.registrations) <= 0 || now >= r->stopping_since + LEAVE_MS)) {
		(void)sd_event_exit(r->event, 0);
	} else if (r->is_ended && now >= r->drain_until + STUCK_MS) {
		(void)sd_event_exit(r->event, 0);
	} else if (now >=
		   r->drain_until) { /* again and again: one may be on its way between workers */
		r->is_ended = true;
		crew_ask(&r->crew, ASK_END_ALL);
	}
}

/* The watchdog is fed only while every worker makes its turns. */
static void on_tick(void *ctx)
{
	struct run *r = ctx;
	int64_t now = clock_mono_ms();

	drain(r, now);
	if (now - r->pinged < 1000)
		return;
	if (crew_is_alive(&r->crew, STUCK_MS))
		(void)sd_notifyf(0, "WATCHDOG=1\nSTATUS=%u calls", atomic_load(&r->crew.hub.calls));
	crew_ask(&r->crew, ASK_PING);
	r->pinged = now;
}

static const struct daemon_duties duties = { on_term, on_hup, on_tick, LOOK_US };

/* ---- start and stop ---- */

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

/* Not under a switch that runs: it would go on writing to what was moved aside. */
static int restore(const struct options *o, struct err *err)
{
	CLEANUP(close) int fd = sock_connect(o->control);
	int e = daemon_make_folder(o->data_dir, "--data", err);

	if (fd >= 0)
		return err_set(err, ERR_CONFLICT, "--restore", str_of(o->restore),
			       "stop switchd first, or `switchctl backup restore NAME`",
			       "switchd is running");

	if (e == 0)
		e = restore_from(o->data_dir, o->restore, err);
	if (e == 0)
		log_at(LOG_NOTICE, NULL, "%s is in place; what was there is in %s/before-restore",
		       o->restore, o->data_dir);
	return e;
}

static int start(struct run *r, struct err *err)
{
	int e = daemon_block_signals();

	if (e == 0)
		e = daemon_make_folder(r->options.data_dir, "--data", err);
	if (e == 0)
		e = restore_resume(r->options.data_dir, err);
	if (e >= 0)
		e = sd_event_default(&r->event);
	if (e >= 0)
		e = crew_open(&r->crew, &r->options, err);
	if (e == 0) {
		struct ops_config o = { .hub = &r->crew.hub,
					.event = r->event,
					.data_dir = r->options.data_dir,
					.machine_file = r->options.machine_file,
					.time_servers = r->options.time_servers,
					.overrides = r->options.params,
					.is_overridden = r->options.is_set,
					.asks = r->crew.asks,
					.answers = r->crew.answers,
					.notes = r->crew.diary };

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
		e = daemon_attend(&r->daemon, r->event, &duties, r);
	return e;
}

static void stop(struct run *r)
{
	r->server = server_free(r->server);
	crew_dismiss(&r->crew);
	r->ops = ops_free(r->ops);
	crew_stop(&r->crew);
	crew_free(&r->crew);
	r->daemon = daemon_free(r->daemon);
	sd_event_unref(r->event);
	options_done(&r->options);
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
		log_failure(&err, e);
		options_done(&run.options);
		return 2;
	}
	e = run.options.restore ? restore(&run.options, &err) : start(&run, &err);
	if (run.options.restore && e == 0) {
		options_done(&run.options);
		return EXIT_SUCCESS;
	}
	if (e < 0) {
		log_failure(&err, e);
		stop(&run);
		return EXIT_FAILURE;
	}
	log_at(LOG_NOTICE, NULL, "ready: %d workers", run.options.workers);
	(void)sd_notify(0, "READY=1");
	(void)sd_event_loop(run.event);
	stop(&run);
	return EXIT_SUCCESS;
}
