/*
 * What a name server answers to the question where a number is: what is read of it is a routing number of 1 to 40 digits, or none.
 * The head and the question are ours, or else nearly nothing would get past them.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "number/naptr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct naptr_question *q, const uint8_t *bytes, size_t n)
{
	struct naptr_question next = *q;
	struct naptr_answer a;
	int r;

	memset(&a, 'x', sizeof(a));
	r = naptr_read(q, bytes, n, &a);
	assert(r <= 1);
	if (r == 1) {
		size_t length = strnlen(a.digits, sizeof(a.digits));

		assert(length > 0 && length <= PORTED_DIGITS &&
		       strspn(a.digits, "0123456789") == length);
	}
	assert(a.next_n <= sizeof(a.next) && (a.next_n == 0 || a.next[a.next_n - 1] == 0));
	if (a.next_n == 0)
		return;
	naptr_follow(&next, &a, 1);
	assert(next.n <= sizeof(next.bytes) && naptr_read(&next, bytes, n, &a) == -EPROTO);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct naptr_question q;
	uint8_t bytes[NAPTR_ANSWER_BYTES];
	size_t head;

	assert(naptr_ask(&q, STR("880171"), STR("e164.arpa"), 0x1234) == 0);
	head = q.n - 11;
	if (size > sizeof(bytes) - head)
		return 0;
	check(&q, data, size);
	memcpy(bytes, q.bytes, head);
	bytes[2] = 0x81;
	bytes[7] = size > 0 ? data[0] % 20 : 0; /* so many records are said to follow */
	bytes[11] = 0;
	if (size > 0)
		memcpy(bytes + head, data + 1, size - 1);
	check(&q, bytes, head + (size > 0 ? size - 1 : 0));
	return 0;
}
