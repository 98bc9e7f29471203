/*
 * price: what a call should cost, worked out here a second time: from the rate as the operator
 * entered it, by the rules of the price list, in whole numbers, with nothing taken from the switch's
 * own arithmetic.
 */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "base/money.h"

struct price_rules {
	int64_t precision_ms; /* a rest of a second from this on counts as one */
	int64_t free_s;
	int64_t digits; /* a fee's decimal places; 0 = all */
	money_t unit;   /* a fee is a multiple of this; 0 = of its last digit */
};

struct price_list {
	money_t price, setup_fee, tax_percent;
	int64_t unit_s, first_s, step_s;
	const json_t *sections; /* loan: an array of "second:price", or NULL */
};

struct price_sum {
	int64_t billed_s;
	money_t fee, tax;
};

/* Reads a rate as rate.show gives it. 0 or -EINVAL. */
int price_read(struct price_list *ret, const json_t *rate);
/* The amount of a call of hold_ms. 0, or -ERANGE when it fits no amount, -EINVAL for bad sections. */
int price_sum(const struct price_list *p, const struct price_rules *rules, int64_t hold_ms,
	      struct price_sum *ret);
