/*
 * conn: one client of the control socket, from its first byte to its last answer (server.h has the
 * rules).
 *
 * Belongs to the thread of its event loop. It ends and frees itself when the client is done, gone
 * or out of patience.
 */
#pragma once

#include "base/list.h"
#include "control/peer.h"
#include "control/server.h"

/* What all clients of a server share. */
struct conn_user {
	sd_event *ev;
	request_fn *on_request;
	void *ctx;
	uint64_t patience_us;
};

/*
 * Takes fd, also on failure; user is a loan. The client joins the list `conns` until it ends. 0 or
 * negative errno.
 */
int conn_open(struct list *conns, const struct conn_user *user, const struct peer *peer, int fd);
/* Ends every client of the list. A request under way is answered to nobody. */
void conn_close_all(struct list *conns);
/* Says no to a client that is not even let in. Takes fd. */
void conn_turn_away(int fd, const struct err *err);
