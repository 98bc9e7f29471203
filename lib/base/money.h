/*
 * money: exact decimal amounts, int64 in units of 1e-8 of the currency. No floating point, ever.
 *
 * Text is an optional '-', digits, optionally '.' and one to eight digits: "10", "-0.00000001".
 * More than eight decimals are refused, never cut. Printing gives the shortest exact form:
 * "0.0123", "10", "-3.5".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

typedef int64_t money_t;

/* ISO C has no name for these. */
__extension__ typedef __int128 int128_t;
__extension__ typedef unsigned __int128 uint128_t;

#define MONEY_ONE ((money_t)100000000)
#define MONEY_MAX INT64_MAX

/*
 * 0; -EINVAL if it is no such number (NaN, exponent, blanks, '+', too many decimals); -ERANGE if it
 * does not fit.
 */
int money_parse(struct str s, money_t *ret);
/* The longest form has 21 characters and the NUL. */
enum { MONEY_TEXT = 24 };
const char *money_text(money_t m, char out[MONEY_TEXT]);
void buf_put_money(struct buf *b, money_t m);
/* The smallest amount of so many decimals, 0 to 8. */
money_t money_unit(int decimals);
/* 0 or -ERANGE; *ret untouched then. */
int money_add(money_t a, money_t b, money_t *ret);
int money_sub(money_t a, money_t b, money_t *ret);
/*
 * num ÷ den rounded half up (away from zero for negatives) to a multiple of quantum, all in units
 * of 1e-8. den > 0, quantum > 0. 0 or -ERANGE. rating.md step 5.
 */
int money_round(int128_t num, int128_t den, money_t quantum, money_t *ret);
