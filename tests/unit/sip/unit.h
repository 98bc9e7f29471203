/* unit: what the tests of sip/ share: cmocka with what it needs before it, tables and slices in asserts. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"

#define ROWS(table)      (sizeof(table) / sizeof((table)[0]))
#define assert_str(s, z) assert_true(str_eq((s), str_of(z)))
