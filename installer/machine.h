/* machine: what the set-up has to know of the machine it runs on. */
#pragma once

#include <net/if.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buf.h"
#include "model/answers.h"
#include "place.h"

struct machine {
	char interface[IF_NAMESIZE]; /* that carries the addresses; "" = there is none */
	char mac[24];
	uint32_t cores;
	uint64_t memory_mb;
};

/* As the answers say; interface=auto: the one of the lowest number that is no loopback. */
void machine_look(struct machine *m, const struct answers *a);
/* Every interface but loopback: "eth0 52:54:00:12:34:56 up", a line each. */
void machine_interfaces(struct buf *out);
/*
 * The address that the machine is reached at: the answered one, or with dhcp and auto what the
 * interface has now. -EAGAIN: it has none (yet); -ENOENT: the answers want none of that family.
 */
int machine_address(const struct machine *m, const struct answers *a, bool is_v6, struct addr *ret);
/* Is it on an interface now, so that a program can bind it? */
bool machine_has_address(const struct addr *a);
/* The binding that a licence is made for (/run/tandem/machine-id), or "". */
void machine_binding(const struct place *p, struct buf *out);
