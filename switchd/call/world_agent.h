/* world_agent: which agent stands above which account. A tree: no ring, at most SHARES_MAX agents in a row, one currency. */
#pragma once

#include "call/world.h"

/* May this account have that agent, and be one? At entry, against the accounts as they are: -EINVAL with *err. */
int agent_check(const struct world *w, const struct account_row *a, struct err *err);
/* Links every account to its agent. One that may not be so (older programs checked nothing) has none, and it is said aloud. */
void agents_link(struct world *w);
