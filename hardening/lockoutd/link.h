/*
 * link: what switchd knows and the firewall must: the addresses of all gateways, and the ports of its media.
 *
 * The last answer about gateways is kept in the state folder, so that they are exempt from the first moment
 * of the next start, with or without switchd.
 */
#pragma once

#include <jansson.h>

#include "exempt.h"

struct media_ports {
	uint16_t first, last; /* 0: not known */
};

/* What was kept of before; nothing if there is none. True if it changed the exempt addresses. */
bool link_restore(const char *state_dir, struct exempt *e);
/*
 * Asks now; waits LINK_PATIENCE_MS at most for each answer. 0 with *ret_changed and *ret_ports, or negative
 * errno: all stays as it was.
 */
enum { LINK_PATIENCE_MS = 2000 };
int link_ask(const char *socket, const char *state_dir, struct exempt *e, bool *ret_changed,
	     struct media_ports *ret_ports);
/* Takes the answer of gateway.addresses. Rows that make no sense are passed over; how many: *ret_bad. */
bool link_take(struct exempt *e, const json_t *rows, size_t *ret_bad);
