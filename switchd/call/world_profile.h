/* world_profile: security profiles: what an account may do at which times (features.md §10, peak and off-peak). */
#pragma once

#include "call/world.h"

enum { PROFILES_MAX = 8 }; /* that hold for one account */

struct profile {
	struct security_profile_row *row;
	const struct timeplan *plan; /* NULL: always */
	struct screen screen;        /* prefixes alone */
};

/* Accounts and time plans have been taken. -EINVAL with *err; -ENOMEM. */
int take_profiles(struct world *w, struct world_input *in, struct err *err);
void profiles_done(struct world *w);
bool profile_is_in_force(const struct profile *p, ms_t wall_ms);
/* The check of a row at entry. */
int world_check_profile(const struct security_profile_row *row, struct err *err);
