/*
 * codes: which code stands for another: "486:480,0:503" (features.md 1.4): SIP codes that a customer hears, what a vendor's refusals are
 * taken for, and the same of Q.850 causes in Reason headers (RFC 3326, 6432). Applied once: what came out is not looked up again.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { CODES_MAX = 32 };

/* SIP codes 400 to 699 by such; causes 1 to 127 by such; causes by SIP codes. */
enum codes_kind { CODES_SIP, CODES_CAUSES, CODES_CAUSE_TO_SIP };

struct codes {
	int count;
	struct {
		uint16_t from; /* 0: all that are not named */
		uint16_t to;   /* 0: stays */
	} item[CODES_MAX];
};

/* 0, or -EINVAL with *err about that field: no pair of codes, one that needs headers of its own, one named twice, too many. */
int codes_parse(struct str list, enum codes_kind kind, const char *field, struct codes *ret,
		struct err *err);
/* What stands for this one; itself, if nothing does. */
int codes_map(const struct codes *c, int code);
