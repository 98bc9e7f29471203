/*
 * link: what switchd knows and the firewall must: the addresses of all gateways, and the parameters of bans.
 *
 * The last answers are kept in the state folder, so that they hold from the first moment
 * of the next start, with or without switchd.
 */
#pragma once

#include <jansson.h>

#include "exempt.h"
#include "settings.h"

/* What was kept of before; nothing if there is none. True if it changed the exempt addresses. */
bool link_restore(const char *state_dir, struct exempt *e, struct settings *s);
/*
 * Asks now; waits LINK_PATIENCE_MS at most for each answer. 0 with *ret_changed and *s, or negative
 * errno: all stays as it was.
 */
enum { LINK_PATIENCE_MS = 2000 };
int link_ask(const char *socket, const char *state_dir, struct exempt *e, bool *ret_changed,
	     struct settings *s);
/* Takes the answer of gateway.addresses. Rows that make no sense are passed over; how many: *ret_bad. */
bool link_take(struct exempt *e, const json_t *rows, size_t *ret_bad);
