/*
 * The first line is terms as a CDR keeps them, the second a list of sections, the rest says how
 * long the call was and what money there is. What is parsed prints as it parses, and no charge of
 * terms that were accepted may overflow, shrink with time or lie beyond its own reach.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "rating/charge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINE = 2000 };

static void same_again(const struct terms *t)
{
	char first[LINE], second[LINE];
	struct buf a = buf_fixed(first, sizeof(first)), b = buf_fixed(second, sizeof(second));
	struct terms back;

	terms_put(t, &a);
	assert(buf_error(&a) == 0);
	assert(terms_parse(buf_str(&a), &back) == 0);
	terms_put(&back, &b);
	assert(str_eq(buf_str(&a), buf_str(&b)));
}

static void charge(const struct terms *t, int64_t hold_ms, money_t budget)
{
	money_t total = charge_total(t, hold_ms);
	int64_t reach = charge_reach_ms(t, budget);

	assert(total >= 0);
	assert(hold_ms == INT64_MAX || charge_total(t, hold_ms + 1) >= total);
	assert((reach < 0) == (budget < 0));
	if (reach < 0 || budget == MONEY_MAX)
		return;
	if (reach == INT64_MAX) {
		assert(charge_total(t, CHARGE_HOLD_MAX_MS) <= budget);
		return;
	}
	assert(charge_total(t, reach) <= budget);
	assert(charge_total(t, reach + 1) > budget);
}

static int64_t number(struct str *rest)
{
	uint64_t v = 0;

	for (size_t i = 0; i < sizeof(v) && i < rest->n; i++)
		v = v << 8 | (uint8_t)rest->p[i];
	*rest = str_skip(*rest, sizeof(v));
	return (int64_t)v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = str_n(data, size), line = STR(""), sections = STR("");
	struct terms t;

	(void)str_line(&rest, &line);
	(void)str_line(&rest, &sections);
	if (terms_parse(line, &t) < 0)
		t = TERMS_DEFAULT;
	assert(terms_check(&t) == 0);
	(void)terms_parse_sections(sections, &t);
	assert(terms_check(&t) == 0);

	same_again(&t);
	charge(&t, number(&rest) & INT64_MAX, number(&rest));
	return 0;
}
