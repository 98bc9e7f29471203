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

/* One change in its words; slices of the text it was made from. */
struct wish {
	struct str whole, entity, key, field, value;
};

struct wish wish_of(struct str text);
/* The changes of a list one by one: *ret is the next from *at on, with the commas that belong to it. False: there are no more. */
bool wish_next(const json_t *list, size_t *at, struct buf *ret);
/* -EINVAL with *err. */
int wish_refuse(const struct wish *w, const char *why, struct err *err);
/* Is it down, up or price of a routing gateway? */
bool wish_is_assumed(const struct wish *w);
/* ... and what is assumed then of its gate. 0 or -EINVAL with *err. */
int wish_assumption(const struct wish *w, const struct gate *g, struct assumption *ret,
		    struct err *err);
/* Of `parameter NAME VALUE`; the value is not checked. 0 or -EINVAL with *err. */
int wish_parameter(const struct wish *w, enum param *ret, struct str *ret_value, struct err *err);
/* Of `ENTITY KEY FIELD=VALUE`: {FIELD: VALUE}. 0, -EINVAL with *err (not a kind that can be changed here), -ENOMEM. */
int wish_fields(const struct wish *w, json_t **ret, struct err *err);

struct what_if { /* starts as zeros */
	struct assumption assume[WHAT_IF_MAX];
	size_t assumed;
	bool is_begun; /* the transaction */
};

/* From the argument `with`: *ret_world is the world to look at until what_if_end. 0, or negative with *err; end it in any case. */
int what_if_begin(struct ops *o, const struct request *r, struct what_if *w,
		  const struct world **ret_world, struct err *err);
void what_if_end(struct ops *o, struct what_if *w);
