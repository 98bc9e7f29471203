/*
 * host: what the machine itself must be able to reach: its own addresses, its default routers, its name
 * servers. They are exempt, and they change while it runs.
 */
#pragma once

#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "exempt.h"

struct host;

/* 0 or negative errno. on_change: the network's addresses or routes are others now. */
typedef void host_fn(void *ctx);
int host_open(struct host **ret, sd_event *ev, host_fn *on_change, void *ctx);
struct host *host_close(struct host *h);
DEFINE_CLEANUP(struct host *, host_close);
/* Tells the exempt list what the machine has now. True if that is something else than before. */
bool host_read(struct exempt *e, const char *resolv_conf);
/* The addresses in a resolv.conf, whatever else is in it. */
void host_take_resolvers(struct exempt *e, struct str text);
