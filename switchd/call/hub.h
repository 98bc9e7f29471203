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
#include "phone/registrar.h"
#include "sip/txn.h"
#include "transport/outside.h"

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
	struct registrar_stats registrar;
	_Atomic int64_t alive_ms; /* monotonic time of its last loop turn */
};

struct tls;

struct hub {
	void *world;     /* struct world *, through base/snapshot */
	struct tls *tls; /* NULL: no listener asks for it */
	struct ledger *ledger;
	struct resolver *resolver; /* of the names of vendors */
	struct outside outside;    /* the NAT before us */
	struct media *media;
	struct tracer *tracer;    /* NULL: nothing is traced (tests) */
	const char *security;     /* socket of switch-lockoutd; NULL: nobody is told anything */
	unsigned char secret[32]; /* of the nonces of this run */
	struct sip_timers timers;
	struct buf *seed; /* registrations of the run before, until the workers have them */
	size_t seeds;
	struct blacklist *blacklist; /* NULL: none (tests) */
	struct inuse *inuse;         /* numbers of caller pools; NULL: they have no limit (tests) */
	struct suspend *suspend;     /* one count for all workers */
	struct guessed *guessed;     /* the same */
	struct referrals *referrals; /* calls that a REFER asks for */
	struct strangers *strangers; /* who has been recorded in this minute */
	struct doorbell *doorbell;   /* the same of challenges to strangers */
	_Atomic uint32_t calls;      /* in progress, ringing included */
	_Atomic bool draining;       /* no new calls */
	_Atomic int registrations;   /* at vendors: made, or not yet taken back */
	/* What the licence allows; 0 = no limit. Calls that are up are never touched by it. */
	_Atomic uint32_t licensed_lines, licensed_cps;
	int workers;
	struct worker_stats stats[HUB_WORKERS_MAX];
};
