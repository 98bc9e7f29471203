/*
 * switch-hostd: what only root may do on a Tandem machine (docs/man/switch-hostd.8): updates, the
 * restart, and changes of network and ports that undo themselves. It takes typed operations from administrators and nothing else.
 *
 * One thread in sd-event, and one for the update that is being installed.
 */
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "change.h"
#include "control/daemon.h"
#include "ops.h"
#include "update.h"

enum { SECOND_US = 1000 * 1000, UPDATE_MAX = 640 << 20 };

struct run {
	struct host host;
	struct daemon *daemon;
	struct server *server;
};

static void on_term(void *ctx)
{
	struct run *r = ctx;

	(void)sd_notify(0, "STOPPING=1");
	(void)sd_event_exit(r->host.event, 0);
}

static void on_hup(void *ctx)
{
	(void)ctx; /* nothing is kept that could be read anew */
}

static void on_tick(void *ctx)
{
	struct run *r = ctx;

	upload_tick(r->host.upload);
	change_tick(&r->host);
	(void)sd_notify(0, "WATCHDOG=1");
}

static const struct daemon_duties duties = { on_term, on_hup, on_tick, SECOND_US };

static int parse(void *ctx, int argc, char **argv, struct err *err)
{
	struct run *r = ctx;

	return options_parse(&r->host.options, argc, argv, err);
}

static int start(void *ctx, sd_event *event, struct err *err)
{
	struct run *r = ctx;
	struct host *h = &r->host;
	int e = daemon_make_folder(h->options.state, "--state", err);

	h->event = event;
	if (e == 0)
		e = places_find(&h->places, &h->options, err);
	if (e == 0)
		e = upload_create(&h->upload, h->options.state, UPDATE_MAX);
	if (e == 0)
		e = change_open(h, err);
	if (e == 0)
		e = server_create(&r->server, h->event, h->options.control, ops_request, h, err);
	if (e == 0)
		e = daemon_attend(&r->daemon, h->event, &duties, r);
	return e;
}

static void stop(void *ctx)
{
	struct run *r = ctx;

	update_stop(&r->host);
	r->server = server_free(r->server);
	r->daemon = daemon_free(r->daemon);
	change_close(&r->host);
}

int main(int argc, char **argv)
{
	static const struct daemon_life life = { parse, start, stop };
	struct run run = { 0 };

	return daemon_live(&life, &run, argc, argv);
}
