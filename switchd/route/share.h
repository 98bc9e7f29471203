/*
 * share: whose turn it is where calls are shared by parts: by weight among vendors, by percent among routing prefixes.
 */
#pragma once

#include <stdint.h>

/* The greatest that divides both; of 0 and a number the number. */
int64_t share_gcd(int64_t a, int64_t b);
/*
 * Turn 0, 1, 2 ... to a place below total: each place once in `total` turns, neighbours far apart, so that parts are exact and nobody
 * gets its calls in a row.
 */
int64_t share_place(uint64_t turn, int64_t total);
