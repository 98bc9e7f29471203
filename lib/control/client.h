/* client: asks a daemon over its control socket and waits for the answer. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct client;

/* 0 or negative errno (-ENOENT, -ECONNREFUSED, -EACCES: not reachable). */
int client_open(struct client **ret, const char *path);
struct client *client_close(struct client *c);
DEFINE_CLEANUP(struct client *, client_close);
/* How long one call may stand still before it fails with -EAGAIN; 0, as at the start: for ever. */
int client_set_timeout(struct client *c, uint32_t ms);
/*
 * 0 with a new reference in *ret; -EINVAL with *err as the daemon said; other negative errno:
 * connection lost, and the client is good for closing only. params is a loan; NULL: none.
 */
int client_call(struct client *c, const char *method, json_t *params, json_t **ret,
		struct err *err);
