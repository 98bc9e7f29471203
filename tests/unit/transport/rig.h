/*
 * rig: a worker's transport under test: its own loop, what it was told, and plain sockets that play
 * the peers. Time may be made up (rig_later); the next real turn sets it right again.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/loop.h"
#include "transport/transport.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { RIG_UDP, RIG_TCP }; /* its listeners, both on 127.0.0.1 */
enum { RIG_MESSAGES = 256, RIG_PATIENCE_MS = 5000 };

struct rig {
	struct loop loop;
	struct transport *transport;
	struct addr udp, tcp;
	size_t count; /* messages that came */
	struct buf message[RIG_MESSAGES];
	struct flow flow[RIG_MESSAGES];
	int gone; /* how many, and the last of them */
	int gone_error;
	struct flow gone_flow;
	bool echoes; /* sends every message back where it came from */
};

/* 0 or negative errno. Ports 0: any. to and from may be NULL for a worker alone. */
int rig_init(struct rig *r, int worker, int workers, uint16_t udp_port, uint16_t tcp_port,
	     struct ring *const *to, struct ring *const *from);
void rig_done(struct rig *r);
/* Turns until that many messages came (or connections went), or fails the test. */
void rig_wait(struct rig *r, size_t messages);
void rig_wait_gone(struct rig *r, int gone);
/* A few turns, for what cannot be waited for since it must not happen. */
void rig_turns(struct rig *r);
/* Lets time pass on the wheel without a turn. */
void rig_later(struct rig *r, int64_t ms);
void assert_message(const struct rig *r, size_t i, struct str expected);

/* A peer's socket on 127.0.0.host, bound to any port, connected to `to`. */
int peer_open(int type, const struct addr *to, int host);
void peer_send(int fd, struct str bytes);
/* Waits until n bytes came and compares; fails the test after a while. */
void peer_expect(struct rig *r, int fd, struct str expected);
bool peer_has_data(int fd);
/* Waits for the end of the connection; fails the test if bytes come or after a while. */
void peer_expect_end(struct rig *r, int fd);
bool peer_is_open(int fd);
