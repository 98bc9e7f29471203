/*
 * hub: what all threads of the switch share: the published world, the ledger, the media threads, the counts that limits are
 * checked against, and each worker's statistics.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/clock.h"
#include "ledger/ledger.h"
#include "media/relay.h"
#include "sip/txn.h"

enum { HUB_WORKERS_MAX = 64 };

struct worker_stats {              /* one writer, relaxed atomics */
	_Atomic uint64_t invites;  /* first INVITEs from known sources */
	_Atomic uint64_t admitted; /* sent on to a vendor */
	_Atomic uint64_t answered;
	_Atomic uint64_t refused;        /* by us */
	_Atomic uint64_t unknown_source; /* messages from strangers, dropped */
	_Atomic uint64_t hold_ms;        /* of all ended calls */
	_Atomic uint64_t ended;          /* answered calls that have ended */
	_Atomic uint64_t pdd_ms, pdd_count;
	_Atomic uint64_t auth_failures;
	_Atomic uint64_t to_differs; /* To and Request-URI name different numbers */
	_Atomic uint64_t no_ack;
	_Atomic uint64_t forced_ends; /* ended by us: money, media, duration */
	_Atomic int64_t alive_ms;     /* monotonic time of its last loop turn */
};

struct hub {
	void *world; /* struct world *, through base/snapshot */
	struct ledger *ledger;
	struct media *media;
	const char *security;     /* socket of switch-lockoutd; NULL: nobody is told anything */
	unsigned char secret[32]; /* of the nonces of this run */
	struct sip_timers timers;
	_Atomic uint32_t calls; /* in progress, ringing included */
	_Atomic bool draining;  /* no new calls */
	/* What the licence allows; 0 = no limit. Calls that are up are never touched by it. */
	_Atomic uint32_t licensed_lines, licensed_cps;
	int workers;
	struct worker_stats stats[HUB_WORKERS_MAX];
};
