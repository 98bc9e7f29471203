/*
 * unit: what the tests of lib/base share: cmocka with what it needs before it, slices in asserts,
 * and chance that repeats itself, so that a random test that fails fails again.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define assert_str_equal(s, literal)                                  \
	do {                                                          \
		struct str s_ = (s);                                  \
		assert_int_equal(s_.n, sizeof(literal) - 1);          \
		assert_memory_equal(s_.n ? s_.p : "", literal, s_.n); \
	} while (0)

/* splitmix64: 0 to n - 1. */
static inline uint64_t chance(uint64_t *seed, uint64_t n)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) % n;
}
