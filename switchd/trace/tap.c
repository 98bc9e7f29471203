#include "trace/tap.h"

#include <string.h>

#include "base/clock.h"

static void push(struct tap *t, const void *head, size_t n, struct str bytes)
{
	if (!ring_push(t->ring, head, n, bytes.p, bytes.n))
		atomic_fetch_add_explicit(&t->dropped, 1, memory_order_relaxed);
}

void tap_message(struct tap *t, const struct flow *f, const struct addr *local, bool is_sent,
		 enum tap_who who, struct str raw)
{
	struct tap_message m;

	memset(&m, 0, sizeof(m)); /* padding too: it is read as bytes */
	m.kind = TAP_MESSAGE;
	m.proto = f->proto;
	m.is_sent = is_sent;
	m.who = (uint8_t)who;
	m.wall_us = clock_wall_us();
	m.local = *local;
	m.peer = f->peer;
	push(t, &m, sizeof(m), raw);
}

void tap_note(struct tap *t, struct tap_note *n, struct str call_id)
{
	n->kind = TAP_NOTE;
	push(t, n, sizeof(*n), call_id);
}

void tap_flush(struct tap *t)
{
	ring_flush(t->ring);
}
