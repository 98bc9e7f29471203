/*
 * rand: random numbers that nobody can guess, for tags, branches, nonces, ports. Per thread,
 * getrandom underneath, buffered.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

void rand_bytes(void *p, size_t n);
uint64_t rand_u64(void);
/* 0 to n - 1, unbiased; n > 0. */
uint32_t rand_below(uint32_t n);
