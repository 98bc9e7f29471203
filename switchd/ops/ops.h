/*
 * ops: what the control protocol can ask of switchd: one handler for each row of lib/model/operations.tsv. Runs in the main
 * thread.
 */
#pragma once

#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "call/hub.h"
#include "call/worker.h"
#include "control/server.h"
#include "model/param.h"

struct ops;

struct ops_config {
	struct hub *hub;
	sd_event *event;
	const char *data_dir;
	const char *machine_file;       /* what a licence may be bound to */
	const char *time_servers;       /* file of the time service, or NULL */
	const struct params *overrides; /* of this run (--set); loans */
	const bool *is_overridden;
	struct ring *const *asks;    /* to each worker, and */
	struct ring *const *answers; /* from each */
	struct ring *const *notes;   /* from each: registrations that changed */
};

/* Opens switch.db, brings its schema forward and publishes the first world. */
int ops_create(struct ops **ret, const struct ops_config *c, struct err *err);
/* Once the ledger and the workers run: completions and answers are listened to, once a second things are looked after. */
int ops_start(struct ops *o);
struct ops *ops_free(struct ops *o);
DEFINE_CLEANUP(struct ops *, ops_free);
/* The first world, for what main needs of the parameters. */
const struct world *ops_world(const struct ops *o);
/* request_fn for the control server. */
void ops_request(void *ops, struct request *r);
