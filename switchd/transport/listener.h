/*
 * listener: one listening address of one worker: its bound socket.
 *
 * Every worker binds the same addresses with SO_REUSEPORT and the kernel spreads what comes in.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "transport/transport.h"

struct listener {
	enum proto proto;
	struct addr addr; /* as bound: the port is known even if 0 was asked for */
	int fd;           /* -1: not open */
	int buffer_bytes; /* the receive buffer that the kernel gave, of UDP */
};

/*
 * 0, or negative errno with *err naming the address. probe: fail if any other process or socket
 * has the address, which SO_REUSEPORT alone would let us share in silence.
 */
int listener_open(struct listener *l, const struct listen_spec *spec, bool probe, struct err *err);
void listener_close(struct listener *l);
