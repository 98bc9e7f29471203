/*
 * switch-lockoutd: the firewall of the machine and its bans (docs/man/switch-lockoutd.8).
 *
 * One thread in sd-event. The firewall is loaded before anything else is looked at, so that the network
 * never comes up without it; it stays in force when the daemon ends.
 */
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "base/log.h"
#include "conf.h"
#include "control/daemon.h"
#include "control/server.h"
#include "guard.h"
#include "host.h"
#include "link.h"
#include "ops.h"
#include "options.h"
#include "sentry.h"
#include "tape.h"

enum { SECOND_US = 1000 * 1000, LOOK_MS = 30 * 1000, RETRY_MS = 5000 };

#define RESOLV_CONF "/etc/resolv.conf"

struct run {
	struct options options;
	struct guard guard;
	sd_event *event;
	struct daemon *daemon;
	struct server *server;
	struct sentry *sentry;
	struct host *host;
	struct openings conf;     /* as tandem.conf says */
	struct settings settings; /* as switchd says */
	struct tape *tape;
	uint32_t uid[USER_COUNT]; /* who may go out */
	bool is_host_due;         /* the machine's addresses have to be looked at */
	bool is_switch_silent;    /* it did not answer last time */
	ms_t look_at;             /* when switchd is asked again */
};

/* ---- what the firewall is made of ---- */

static void on_host_change(void *ctx)
{
	struct run *r = ctx;

	r->is_host_due = true;
}

static void on_switch_change(void *ctx)
{
	struct run *r = ctx;

	r->look_at = 0;
}

/* switchd's range wins: its media are what is to come in. */
static struct openings openings(const struct run *r)
{
	struct openings o = r->conf;

	if (r->settings.media_first) {
		o.media_first = r->settings.media_first;
		o.media_last = r->settings.media_last;
	}
	o.tcp_traps = r->settings.tcp_traps;
	o.udp_traps = r->settings.udp_traps;
	o.is_taped = r->tape != NULL;
	o.is_guest = r->options.is_guest;
	memcpy(o.uid, r->uid, sizeof(o.uid));
	return o;
}

static bool look_at_switch(struct run *r, ms_t now)
{
	bool is_changed = false;
	int e = link_ask(r->options.switchd, r->options.state, r->guard.exempt, &is_changed,
			 &r->settings);

	if (e < 0 && !r->is_switch_silent)
		log_at(LOG_NOTICE, NULL, "switchd does not answer (%s): gateways as last known",
		       strerror(-e));
	r->is_switch_silent = e < 0;
	judge_set_limits(r->guard.judge, &r->settings.limits);
	r->look_at = now + (e < 0 ? RETRY_MS : LOOK_MS);
	r->is_host_due = true; /* name servers change without a sign */
	return is_changed;
}

/* Asks whoever is due, and brings the kernel what is new. */
static void look(struct run *r, ms_t now)
{
	bool is_changed = now >= r->look_at && look_at_switch(r, now);
	struct openings o;

	if (r->is_host_due)
		is_changed |= host_read(r->guard.exempt, RESOLV_CONF);
	r->is_host_due = false;
	o = openings(r);
	if (is_changed || !openings_eq(&o, &r->guard.openings))
		(void)guard_reload(&r->guard, &o);
}

/* ---- signals and the second hand ---- */

static void on_term(void *ctx)
{
	struct run *r = ctx;

	(void)sd_notify(0, "STOPPING=1");
	log_at(LOG_NOTICE, NULL, "stopping; firewall and bans stay in force");
	(void)sd_event_exit(r->event, 0);
}

static void on_hup(void *ctx)
{
	struct run *r = ctx;
	struct err err = ERR_INIT;
	bool is_changed;

	if (conf_read(r->options.conf, &r->conf, r->guard.exempt, &is_changed, &err) < 0) {
		log_at(LOG_ERR, NULL, "not reloaded, all stays as it is: %s", err.message);
		return;
	}
	r->look_at = 0;
	look(r, clock_mono_ms());
	if (is_changed)
		(void)guard_reload(&r->guard, &r->guard.openings);
}

static void on_tick(void *ctx)
{
	struct run *r = ctx;

	look(r, clock_mono_ms());
	guard_second(&r->guard, clock_mono_ms());
	(void)sd_notifyf(0, "WATCHDOG=1\nSTATUS=%zu bans", bans_count(r->guard.bans));
}

static const struct daemon_duties duties = { on_term, on_hup, on_tick, SECOND_US };

/* ---- start and stop ---- */

/* What is known without asking anybody: a broken tandem.conf must not leave the machine open. */
static int read_before(struct run *r)
{
	struct err err = ERR_INIT;
	bool is_changed;
	int e = conf_read(r->options.conf, &r->conf, r->guard.exempt, &is_changed, &err);

	if (e == -EINVAL) {
		log_at(LOG_ERR, NULL, "ports as if nothing were configured: %s", err.message);
		e = conf_read("", &r->conf, r->guard.exempt, &is_changed, &err);
	}
	(void)link_restore(r->options.state, r->guard.exempt, &r->settings);
	judge_set_limits(r->guard.judge, &r->settings.limits);
	(void)host_read(r->guard.exempt, RESOLV_CONF);
	return e;
}

/* Without it bans have no packets to show, and that is all. */
static void open_tape(struct run *r)
{
	int e = tape_open(&r->tape, r->event, r->options.state);

	if (e < 0)
		log_at(LOG_NOTICE, NULL, "packets of strangers are not kept: %s", strerror(-e));
	r->guard.tape = r->tape;
}

/* A machine that is no appliance of ours lacks some. */
static void find_users(struct run *r)
{
	for (int u = 0; u < USER_COUNT; u++) {
		const struct passwd *user = getpwnam(ruleset_users[u]);

		r->uid[u] = user ? user->pw_uid : 0;
	}
}

static int load(struct run *r, struct err *err)
{
	int e = guard_open(&r->guard, r->options.state, err);
	struct openings o;

	if (e == 0)
		e = read_before(r);
	if (e < 0)
		return e;
	open_tape(r);
	find_users(r);
	o = openings(r);
	e = guard_load(&r->guard, &o, err);
	if (e < 0 && o.is_taped) { /* a kernel without nft_log: the firewall all the same */
		log_at(LOG_NOTICE, NULL, "packets of strangers are not kept: %s", err->message);
		r->guard.tape = r->tape = tape_close(r->tape);
		*err = ERR_INIT;
		o.is_taped = false;
		e = guard_load(&r->guard, &o, err);
	}
	return e;
}

static int parse(void *ctx, int argc, char **argv, struct err *err)
{
	struct run *r = ctx;

	return options_parse(&r->options, argc, argv, err);
}

static int start(void *ctx, sd_event *event, struct err *err)
{
	struct run *r = ctx;
	int e = daemon_make_folder(r->options.state, "--state", err);

	r->event = event;
	if (e == 0)
		e = load(r, err);
	if (e == 0)
		e = sentry_open(&r->sentry, r->event, r->options.security, &r->guard,
				on_switch_change, r, err);
	if (e == 0)
		e = host_open(&r->host, r->event, on_host_change, r);
	if (e == 0)
		e = server_create(&r->server, r->event, r->options.control, ops_request, &r->guard,
				  err);
	if (e == 0)
		e = daemon_attend(&r->daemon, r->event, &duties, r);
	return e;
}

static void stop(void *ctx)
{
	struct run *r = ctx;

	r->server = server_free(r->server);
	r->host = host_close(r->host);
	r->sentry = sentry_close(r->sentry);
	r->daemon = daemon_free(r->daemon);
	r->tape = tape_close(r->tape);
	guard_close(&r->guard);
}

int main(int argc, char **argv)
{
	static const struct daemon_life life = { parse, start, stop };
	struct run run = { .settings = SETTINGS_DEFAULT };

	return daemon_live(&life, &run, argc, argv);
}
