/*
 * sentry: the ears of the daemon: events from switchd's datagrams and sshd's journal, brought before the
 * judge, whose sentence the guard carries out.
 */
#pragma once

#include <systemd/sd-event.h>

#include "guard.h"
#include "judge.h"

struct sentry;

/* The configuration of the switch has changed: its gateways or ports may be others. */
typedef void sentry_fn(void *ctx);

/* Listens at path (datagrams). 0; -EINVAL with *err; negative errno. */
int sentry_open(struct sentry **ret, sd_event *ev, const char *path, struct guard *g,
		sentry_fn *on_change, void *ctx, struct err *err);
struct sentry *sentry_close(struct sentry *s);
DEFINE_CLEANUP(struct sentry *, sentry_close);
