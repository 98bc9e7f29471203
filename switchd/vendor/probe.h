/*
 * probe: asks one address of a vendor by OPTIONS, again and again, whether it is there; what it hears goes into its reach.
 *
 * The first question waits as long as the caller says, the second between half a period and a whole one: so probes that
 * began together drift apart. In doubt (a first failure, a first answer) the next one follows after a second.
 */
#pragma once

#include "base/cleanup.h"
#include "vendor/reach.h"
#include "vendor/sender.h"

enum { PROBE_WAIT_MS = 4000, PROBE_DOUBT_MS = 1000 };

struct probe;

/* sender and reach are loans. 0 or -ENOMEM. */
int probe_create(struct probe **ret, const struct sender *s, struct reach *reach, struct means by,
		 const struct addr *peer, ms_t first_in_ms, ms_t period_ms);
/* A shorter one acts on the wait under way, somewhere within it. */
void probe_adjust(struct probe *p, struct means by, ms_t period_ms);
struct probe *probe_free(struct probe *p);
DEFINE_CLEANUP(struct probe *, probe_free);
