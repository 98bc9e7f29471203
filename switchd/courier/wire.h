/*
 * wire: a TCP connection to somebody who may be slow, dead or rude: everything on it together ends at a deadline, and when the thread's end
 * is told. For threads that may wait.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

struct wire {
	int fd;
	int end; /* an eventfd: readable = stop */
	ms_t deadline;
};

/* 0; -EHOSTUNREACH: no such host; -ETIMEDOUT; -ECANCELED: the end; another negative errno. */
int wire_open(struct wire *w, struct str host, uint16_t port, int end, ms_t patience_ms);
/* Harmless after a failure. */
void wire_close(struct wire *w);
int wire_send(struct wire *w, struct str s);
/* Some more octets; -ECONNRESET: there are no more; -EMSGSIZE: beyond max. */
int wire_read(struct wire *w, struct buf *into, size_t max);
