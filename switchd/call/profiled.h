/* profiled: the security profiles of an account in a call. */
#pragma once

#include "call/inquiry.h"

/*
 * A step of admission: what the profiles that are in force now say of the numbers (TimeForbidden, or DestinationForbidden where a
 * profile holds at all times), and the lowest of their limits, for admit_account.
 */
enum reason admit_profile(struct inquiry *q);
