/* world_group: gateway groups and time plans, and who names them. */
#pragma once

#include "call/world.h"

/* Before gateways, which name them. 0; -EINVAL with *err; -ENOMEM. */
int take_groups(struct world *w, struct world_input *in);
int take_plans(struct world *w, struct world_input *in, struct err *err);
/* What the gateway's lists name. */
int source_join_groups(const struct world *w, struct source *s, struct err *err);
int vendor_join_groups(const struct world *w, struct vendor *v, struct err *err);
/* After all vendors: what a group without a limit of its own comes to. */
void groups_sum_up(struct world *w);
void groups_done(struct world *w);
