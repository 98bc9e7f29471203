/*
 * err: what an operator is told when something is refused: which field, what was given, what would
 * be accepted.
 *
 * Filled where the check is made, printed by the faces. The first one set wins.
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"

/* Stable codes, as they go over the control protocol. */
#define ERR_CODES(X)                              \
	X(NONE, "none")                           \
	X(SYNTAX, "syntax")                       \
	X(USAGE, "usage")                         \
	X(UNKNOWN_OPERATION, "unknown_operation") \
	X(UNKNOWN_FIELD, "unknown_field")         \
	X(MISSING_FIELD, "missing_field")         \
	X(BAD_VALUE, "bad_value")                 \
	X(NOT_FOUND, "not_found")                 \
	X(EXISTS, "exists")                       \
	X(IN_USE, "in_use")                       \
	X(CONFLICT, "conflict")                   \
	X(FORBIDDEN, "forbidden")                 \
	X(STORE, "store_unavailable")             \
	X(INTERNAL, "internal")

enum err_code {
#define ERR_ENUM(name, text) ERR_##name,
	ERR_CODES(ERR_ENUM)
#undef ERR_ENUM
		ERR_COUNT
};

struct err {
	enum err_code code;
	char field[64];     /* "" if no single field is at fault */
	char given[128];    /* the value given, made printable, cut */
	char accepted[512]; /* what would be accepted, or how to put it right */
	char message[256];  /* a plain sentence */
};

#define ERR_INIT ((struct err){ 0 })

const char *err_code_name(enum err_code c);
static inline bool err_is_set(const struct err *e)
{
	return e->code != ERR_NONE;
}
/*
 * field and given may be empty; accepted may be NULL. e may be NULL: nothing is kept. Returns
 * -EINVAL, so that a check can say `return err_set(...)`.
 */
__attribute__((format(printf, 6, 7))) int err_set(struct err *e, enum err_code code,
						  const char *field, struct str given,
						  const char *accepted, const char *fmt, ...);
