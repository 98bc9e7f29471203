/*
 * naptr: the question to a name server where a telephone number is (ENUM, RFC 6116), and its answer: the routing number of a ported number in
 * the URI of an E2U+pstn (RFC 4769) or E2U+sip record, as rn (RFC 4694).
 *
 *	880171 in e164.arpa  ->  1.7.1.0.8.8.e164.arpa NAPTR
 *	"u" "E2U+pstn:tel" "!^(.*)$!tel:\\1;npdi;rn=+770199!"  ->  770199
 *
 * Records that lead to other records are not followed. Any octets give some result, and no expression stalls: it is cut off.
 */
#pragma once

#include <stdint.h>

#include "vendor/ported.h"

enum { NAPTR_QUESTION_BYTES = 320, NAPTR_ANSWER_BYTES = 4096, NAPTR_ZONE_MAX = 160 };

struct naptr_question {
	uint8_t bytes[NAPTR_QUESTION_BYTES];
	size_t n;
	size_t name_n;                  /* of the name in it, behind the head */
	char number[PORTED_DIGITS + 2]; /* with its +, as the expressions see it */
};

/* -EINVAL: the number has something else than digits, or the name would be too long. */
int naptr_ask(struct naptr_question *ret, struct str number, struct str zone, uint16_t id);

/*
 * 1: *ret has the routing number; 0: it is not ported, or nothing is known of it; -ENOENT: there are records, and none says anything about
 * portability; -EMSGSIZE: the answer was cut short; -EAGAIN: the server does not know now; -EPROTO: no answer to this question.
 */
int naptr_read(const struct naptr_question *q, const uint8_t *bytes, size_t n,
	       char ret[PORTED_DIGITS + 1]);
