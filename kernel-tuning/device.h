/*
 * device: what this machine's own hardware asks for beside the table of settings: how the work of network
 * cards is spread over processors, clocks that do not slow down, memory for the calls that are expected.
 *
 * Each value is computed from what is there and comes with the reason.
 */
#pragma once

#include "base/buf.h"

enum { DEVICE_PATH = 256, DEVICE_VALUE = 320 };

#define DEVICE_RULES(X)                                                                   \
	X(EQUAL)  /* the same text */                                                     \
	X(MASK)   /* the same processors: leading zeros and commas do not count */        \
	X(CHOICE) /* the word in brackets among those offered; written, the word alone */ \
	X(TRIPLE) /* three numbers, each at least as high */

enum device_rule {
#define DEVICE_ENUM(name) DEVICE_##name,
	DEVICE_RULES(DEVICE_ENUM)
#undef DEVICE_ENUM
};

struct wish {
	char path[DEVICE_PATH]; /* below the root: "sys/class/net/eth0/..." */
	char value[DEVICE_VALUE];
	enum device_rule rule;
	bool is_optional; /* drivers may refuse it, and that is no fault */
	char why[DEVICE_VALUE];
};

typedef int wish_fn(void *ctx, const struct wish *w);

/*
 * Calls fn for every wish, in no order. root: a folder's descriptor; lines: calls that are expected at the
 * same time. Ends at fn's first negative result and returns it; else 0 or -ENOMEM.
 */
int device_each(int root, uint32_t lines, wish_fn *fn, void *ctx);
/* Is the value that was read, with single blanks, what was wished? */
bool device_is_right(enum device_rule rule, const char *wanted, const char *now);
