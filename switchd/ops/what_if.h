/*
 * what_if: changes that one `route explain` looks at and nothing else ever sees: entities and parameters are changed in a transaction
 * that is rolled back, from which a world is compiled as for any change; that a vendor is down, up or has another price is assumed.
 *
 *	routing-gateway carrier-a down | up | price 0.01
 *	ENTITY KEY FIELD=VALUE
 *	parameter NAME VALUE
 */
#pragma once

#include "call/inquiry.h"
#include "ops/inner.h"

enum { WHAT_IF_MAX = 16 };

struct what_if { /* starts as zeros */
	struct assumption assume[WHAT_IF_MAX];
	size_t assumed;
	bool is_begun; /* the transaction */
};

/* From the argument `with`: *ret_world is the world to look at until what_if_end. 0, or negative with *err; end it in any case. */
int what_if_begin(struct ops *o, const struct request *r, struct what_if *w,
		  const struct world **ret_world, struct err *err);
void what_if_end(struct ops *o, struct what_if *w);
