/*
 * value: what an operator writes, checked against a rule and brought into one form.
 *
 * Fields of entities and system parameters differ in their tables, not in what a number, a list or
 * a choice is: both make a rule of their row and ask here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* No bound. The smallest int64 is never accepted: it stands for an absent value. */
#define VALUE_MIN (INT64_MIN + 1)
#define VALUE_MAX INT64_MAX

enum value_kind {
	VALUE_TEXT,   /* valid UTF-8 without control characters */
	VALUE_NUMBER, /* a phone number or prefix: digits, * and # */
	VALUE_INT,
	VALUE_BOOL,
	VALUE_CHOICE,
	VALUE_DECIMAL, /* exact, 1e-8 */
	VALUE_TIME,    /* wall ms */
	VALUE_ID,      /* hex */
	VALUE_RANGE,   /* two whole numbers, "first,last" */
	VALUE_LIST,    /* of `item`, comma separated */
};

struct value_rule {
	enum value_kind kind;
	enum value_kind item;      /* of a list: TEXT, NUMBER, INT or CHOICE */
	int64_t min, max;          /* of a number or a list's numbers; of a text's length */
	const char *unit;          /* "" = none */
	const char *const *values; /* of a choice; of a bool how it is called: { no, yes } */
};

/* Is the result of value_parse a text (else a number)? */
bool value_is_text(enum value_kind k);
/*
 * A text goes to *text (emptied first), trimmed and with plain commas if it is a list; a number to
 * *ret, a choice as its index. -EINVAL if the rule does not accept it, -ENOMEM. An empty slice is
 * never accepted.
 */
int value_parse(const struct value_rule *rule, struct str given, int64_t *ret, struct buf *text);
/* "0 to 1000 calls", "ip, ip_port or password", "up to 64 characters". */
void value_accepts(const struct value_rule *rule, struct buf *out);
