/*
 * inner: what the files of media/ share: a relay as both threads see it, and the mail between them. Private to this folder.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/loop.h"
#include "media/latch.h"
#include "media/ports.h"
#include "media/relay.h"
#include "media/rtp.h"

enum { NETS_MAX = 8 };

struct pump; /* a media thread */

/* Written by the media thread, read by the worker. */
struct counters {
	_Atomic uint64_t packets_in, bytes_in, packets_out, bytes_out, lost, refused;
	_Atomic uint32_t jitter_us;
	_Atomic ms_t heard_ms;
};

struct plug { /* one socket */
	struct event event;
	struct relay *relay;
	struct latch latch;
	enum side side;
	bool is_rtcp;
};

struct relay {
	/* set by the worker before the relay goes to the media thread, constant after */
	struct desk *desk;
	struct pump *pump;
	struct ports *ports[SIDE_COUNT];
	struct addr local[SIDE_COUNT];
	ms_t opened_ms;
	struct counters counters[SIDE_COUNT];
	/* the media thread's */
	struct plug rtp[SIDE_COUNT], rtcp[SIDE_COUNT];
	struct rtp_count count[SIDE_COUNT];
	uint32_t clock_hz[SIDE_COUNT];
	bool may_send[SIDE_COUNT];
};

enum order_kind { ORDER_OPEN, ORDER_LISTEN, ORDER_PEER, ORDER_CLOSE };

/* A worker's order. The relay is the media thread's from ORDER_OPEN on, and gone after ORDER_CLOSE. */
struct order {
	enum order_kind kind;
	enum side side;
	struct relay *relay;
	struct relay_peer peer;
};

struct desk {
	struct media *media;
	struct ring **orders; /* to each media thread */
};

struct media {
	struct addr *host;
	struct ports **ports; /* of each host */
	int hosts;
	struct pump **pump;
	struct desk *desk;
	int pumps, desks;
	int threads;            /* pumps that there are to be: so many rings a desk */
	_Atomic uint32_t range; /* low << 16 | high */
	_Atomic uint32_t next;  /* pump for the next relay */
	_Atomic uint32_t relays;
};

/* ---- pump.c ---- */
int pump_create(struct pump **ret, struct media *m, struct ring *const *orders, int desks);
int pump_start(struct pump *p);
struct pump *pump_free(struct pump *p);
void pump_totals(const struct pump *p, struct media_totals *ret);
/* Closes the sockets, gives the ports back, frees. */
void relay_destroy(struct relay *r);
