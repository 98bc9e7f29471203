/*
 * server: the control socket. Accepts clients, checks who they are (SO_PEERCRED), frames lines,
 * hands each request to the handler and writes the answer, at once or later. Runs in the main
 * thread on sd-event.
 *
 * Administrators: uid 0, the daemon's own uid, members of group tandem-admin; anyone else is
 * refused. An `actor` is believed from user switch-api alone.
 *
 * A client is served one request at a time, in the order of its lines: the next is looked at when
 * the answer before it is done and on its way, so answers come in order and what a client can make
 * us keep is one line and one answer. Who wants two things at once opens two connections. A client
 * that leaves a line unfinished or its answer unread is closed after a while; one that is merely
 * quiet is not.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "control/rpc.h"
#include "model/op.h"

enum { SERVER_CLIENTS_MAX = 64, SERVER_PATIENCE_MS = 30000 };

struct server;

struct request {
	enum op op;
	json_t *params; /* an object; loan until the answer; args_check puts its lists right */
	char actor[64]; /* who asks: "root", "uid 1000", or the believed actor */
};

/*
 * Must call request_done or request_fail exactly once, now or later (client gone in between:
 * harmless).
 */
typedef void request_fn(void *ctx, struct request *r);

/*
 * 0; -EINVAL with *err (the socket cannot be had); other negative errno. The directory of path
 * must exist.
 */
int server_create(struct server **ret, sd_event *ev, const char *path, request_fn *on_request,
		  void *ctx, struct err *err);
/* Closes clients and unlinks the socket. Requests under way may still be answered, to nobody. */
struct server *server_free(struct server *s);
DEFINE_CLEANUP(struct server *, server_free);
/*
 * How long a client may take to end a line or to read its answer; SERVER_PATIENCE_MS at the start.
 */
void server_set_patience(struct server *s, uint64_t ms);

/* Takes the reference of result. */
void request_done(struct request *r, json_t *result);
void request_fail(struct request *r, const struct err *err);
/* Nobody waits for the answer any more; it must be given all the same. */
bool request_is_gone(struct request *r);
