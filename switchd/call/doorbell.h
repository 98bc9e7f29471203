/*
 * doorbell: how often strangers are asked for a password: at most 5 times a second a network (an IPv4 /24, an IPv6 /64), and 500
 * times a second in total (security.md F1). More is not answered: a flood of forged addresses must not make us send one.
 *
 * One for the whole switch: any thread may call, without a lock. Networks share places by a keyed hash; two at one place share its five.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/cleanup.h"

enum { DOORBELL_NET = 5, DOORBELL_ALL = 500, DOORBELL_PLACES = 4096 };

struct doorbell;

int doorbell_create(struct doorbell **ret);
struct doorbell *doorbell_free(struct doorbell *d);
DEFINE_CLEANUP(struct doorbell *, doorbell_free);

/* One more challenge to that stranger? It is counted if so. */
bool doorbell_may_answer(struct doorbell *d, const struct addr *stranger, int64_t now_ms);
