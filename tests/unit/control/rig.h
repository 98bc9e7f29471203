/*
 * rig: a control server with a handler made for tests, in a folder of its own, and raw clients of
 * it. All in one thread: rig_settle() runs the event loop until nothing more happens.
 *
 * The handler answers
 *   status.show    {"actor": who asks}
 *   account.show   its parameters
 *   account.del    an error with every part filled
 *   cdr.list       a string of `limit` bytes
 *   call.hangup    nothing yet: the request is kept in `held`
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/buf.h"
#include "control/server.h"

enum { RIG_HELD = 8 };

struct rig {
	char dir[64];
	char path[96];
	sd_event *ev;
	struct server *server;
	struct request *held[RIG_HELD];
	int held_count;
	int requests;
};

/* 0 or what server_create said. rig_done must follow in either case. */
int rig_init(struct rig *r);
void rig_done(struct rig *r);
void rig_settle(struct rig *r);
/* Keeps the loop turning, reading nothing, until the server hangs up. */
bool rig_is_closed_within(struct rig *r, int fd, int ms);

/* A non-blocking connection; the server has not looked at it yet. */
int rig_connect(const struct rig *r);
/* Sends what fits and says how much that was. */
size_t rig_send(int fd, struct str bytes);
/*
 * Sends a line (newline added), settles, and gives what has come back: a loan until the next call.
 */
struct str rig_ask(struct rig *r, int fd, const char *line);
/*
 * What has come in; empty if nothing. *ret_is_closed, if wanted, says whether the server has hung
 * up.
 */
struct str rig_read(int fd, bool *ret_is_closed);
