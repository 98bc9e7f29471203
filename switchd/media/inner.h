/*
 * inner: what the files of media/ share: a relay as both threads see it, and the mail between them.
 * Private to this folder.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/loop.h"
#include "media/latch.h"
#include "media/ports.h"
#include "media/relay.h"
#include "media/rtp.h"

enum { PACKET_MAX = 2048 };

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
	bool has_faxed; /* was heard with UDPTL since it is a fax */
};

/* From one worker to one media thread. */
struct line {
	struct media *media;
	struct ring *orders;
	struct pump *pump;
	uint32_t relays; /* open ones: each has room for its close in the ring */
};

struct relay {
	/* set by the worker before the relay goes to the media thread, constant after but for a move (relay_adopt) */
	struct line *line;
	struct pump *pump;
	struct ports *ports[SIDE_COUNT];
	struct addr local[SIDE_COUNT];
	ms_t opened_ms;
	size_t ordered; /* the worker's: where its last order stands in the ring */
	struct counters counters[SIDE_COUNT];
	/* the media thread's */
	struct plug rtp[SIDE_COUNT], rtcp[SIDE_COUNT];
	struct rtp_count count[SIDE_COUNT];
	uint32_t clock_hz[SIDE_COUNT];
	struct payloads payloads[SIDE_COUNT], expected; /* of each description; of both, or any */
	bool may_send[SIDE_COUNT], is_deaf[SIDE_COUNT], says_fax[SIDE_COUNT];
	bool is_fax; /* both say so */
};

enum order_kind { ORDER_OPEN, ORDER_LISTEN, ORDER_PEER, ORDER_CLOSE };

/* A worker's order. The relay is the media thread's from ORDER_OPEN on, gone after ORDER_CLOSE. */
struct order {
	enum order_kind kind;
	enum side side;
	struct relay *relay;
};

struct peer_order {
	struct order order; /* ORDER_PEER */
	struct relay_peer peer;
	/* and peer.net_count networks behind it in the ring */
};

struct desk {
	struct media *media;
	struct line *line; /* to each media thread */
};

/* A media thread. */
struct pump {
	struct loop loop;
	struct inbox *inbox; /* one a worker */
	int inboxes;
	ms_t window_ms;              /* how busy it is is measured from here on */
	uint32_t in_window, in_turn; /* packets */
	bool is_busy;
	_Atomic uint64_t packets, refused;
	pthread_t thread;
	bool is_running;
	char packet[PACKET_MAX + 1];
};

struct media {
	struct addr *host;
	struct ports **ports; /* of each host */
	int hosts;
	struct outside outside;
	struct pump **pump;
	struct desk *desk;
	int pumps, desks;
	_Atomic uint32_t range; /* low << 16 | high */
	_Atomic uint32_t next;  /* pump for the next relay */
	_Atomic uint32_t relays;
};

/* ---- carry.c: a socket is readable ---- */
void carry(struct event *e, uint32_t events);

/* ---- pump.c ---- */
int pump_create(struct pump **ret, int workers);
/* Reads this line's orders; before pump_start. */
int pump_connect(struct pump *p, struct ring *orders);
int pump_start(struct pump *p);
struct pump *pump_free(struct pump *p);

/* ---- pair.c ---- */
/* A pair of ports, bound, on the first media address of that family, or of any. 0 or negative errno. */
int pair_take(struct relay *r, enum side s, bool is_v6);
void pair_give(struct relay *r, enum side s);

/* ---- relay.c ---- */
/* Closes the sockets, gives the ports back, frees. */
void relay_destroy(struct relay *r);
