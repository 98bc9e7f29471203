/*
 * meter: never more than N events in any second, counted exactly, from any thread.
 *
 * Keeps the times of the last N events in a ring; one more fits if the oldest is a second old. So
 * there is no window edge at which twice the limit passes (behaviour: "never more than N in any
 * second"). 8 bytes an event of the limit. Lock-free; time is passed in (monotonic milliseconds),
 * never read here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct meter;

/* 0; -EINVAL for a limit of 0 or over a million; -ENOMEM. *ret is set on success only. */
int meter_create(struct meter **ret, uint32_t limit);
struct meter *meter_free(struct meter *m);
DEFINE_CLEANUP(struct meter *, meter_free);

uint32_t meter_limit(const struct meter *m);
/* Counts one event and says true; says false and counts nothing once the limit is reached. */
bool meter_take(struct meter *m, int64_t now_ms);
/* How many events the last second holds (for screens). */
uint32_t meter_count(const struct meter *m, int64_t now_ms);
