/*
 * naptr: the question to a name server where a telephone number is (ENUM, RFC 6116), and its answer: the routing number of a ported number in
 * the URI of an E2U+pstn (RFC 4769) or E2U+sip record, as rn (RFC 4694).
 *
 *	880171 in e164.arpa  ->  1.7.1.0.8.8.e164.arpa NAPTR
 *	"u" "E2U+pstn:tel" "!^(.*)$!tel:\\1;npdi;rn=+770199!"  ->  770199
 *
 * A record without flags leads to the records of another domain (non-terminal: RFC 3403 §4.1); following it is the caller's. Any octets
 * give some result, and no expression stalls: it is cut off.
 */
#pragma once

#include <stdint.h>

#include "vendor/ported.h"

enum {
	NAPTR_QUESTION_BYTES = 320,
	NAPTR_ANSWER_BYTES = 4096, /* of a datagram */
	NAPTR_ZONE_MAX = 160,
	NAPTR_NAME_BYTES = 255 /* of a domain, as it stands in messages */
};

struct naptr_question {
	uint8_t bytes[NAPTR_QUESTION_BYTES];
	size_t n;
	size_t name_n;                  /* of the name in it, behind the head */
	char number[PORTED_DIGITS + 2]; /* with its +, as the expressions see it */
};

/* -EINVAL: the number has something else than digits, or the name would be too long. */
int naptr_ask(struct naptr_question *ret, struct str number, struct str zone, uint16_t id);

struct naptr_answer {
	char digits[PORTED_DIGITS + 1]; /* the routing number */
	uint8_t next
		[NAPTR_NAME_BYTES]; /* the domain to be asked in place of this one, as messages have it */
	size_t next_n;              /* 0: none */
};

/*
 * 1: the answer has the routing number; 0: it is not ported; -ENODATA: there is no such name, or it has no records; -ENOENT: there are
 * records, and none says anything about portability; -EMSGSIZE: the answer was cut short; -EAGAIN: the server does not know now; -EPROTO:
 * no answer to this question.
 *
 * With ret->next the record that comes first leads on; what is returned is of those behind it, and holds if that leads nowhere.
 */
int naptr_read(const struct naptr_question *q, const uint8_t *bytes, size_t n,
	       struct naptr_answer *ret);
/* The same question of the domain that an answer leads to. */
void naptr_follow(struct naptr_question *q, const struct naptr_answer *a, uint16_t id);
