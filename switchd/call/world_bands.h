/* world_bands: which hours are off-peak for the rate groups of a world. */
#pragma once

#include "call/world.h"

/* Accounts and time plans have been taken. -EINVAL with *err; -ENOMEM. */
int take_bands(struct world *w, const struct world_input *in, struct err *err);
