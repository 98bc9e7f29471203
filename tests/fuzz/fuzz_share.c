/*
 * The agents of a record as the ledger keeps them. What is parsed prints as it parses, and what they earn together is what was
 * charged less the charge of the last.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "rating/share.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_again(const struct shares *s)
{
	CLEANUP(buf_done) struct buf a = BUF_INIT, b = BUF_INIT;
	struct shares back = { 0 };

	shares_put(s, &a);
	assert(buf_error(&a) == 0);
	if (a.n > SHARES_TEXT_MAX)
		return;
	assert(shares_parse(buf_str(&a), &back) == 0);
	shares_put(&back, &b);
	assert(str_eq(buf_str(&a), buf_str(&b)));
	shares_done(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct shares s = { 0 };
	money_t charged = 123456789;

	if (shares_parse(str_n(data, size), &s) == 0) {
		same_again(&s);
		if (s.count > 0 && shares_compute(&s, charged, 61000) == 0)
			assert(shares_income(&s) == charged - s.of[s.count - 1].charge);
		same_again(&s);
	}
	assert(s.count <= SHARES_MAX);
	shares_done(&s);
	return 0;
}
