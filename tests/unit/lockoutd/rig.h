/* rig: what the tests of switch-lockoutd share: cmocka with what it needs, addresses from text. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/addr.h"
#include "lockoutd/exempt.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static inline struct addr address(const char *text)
{
	struct addr a = { 0 };

	assert_int_equal(addr_parse(str_of(text), 0, &a), 0);
	return a;
}

static inline struct cidr network(const char *text)
{
	struct cidr c = { 0 };

	assert_int_equal(cidr_parse(str_of(text), &c), 0);
	return c;
}

static inline struct cidr banned(const char *text)
{
	struct addr a = address(text);

	return ban_net(&a);
}
