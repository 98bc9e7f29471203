#include "golive/price.h"

#include <errno.h>

/* An amount of money in units of 1e-8; sums are kept over the denominator of the rate's period. */
enum { SECTIONS_MAX = 64 };

struct section {
	int64_t from_s;
	money_t price;
};

static money_t amount_of(const json_t *rate, const char *name)
{
	const json_t *v = json_object_get(rate, name);
	money_t m = 0;

	if (json_is_string(v))
		(void)money_parse(str_n(json_string_value(v), json_string_length(v)), &m);
	return m;
}

static int64_t number_of(const json_t *rate, const char *name, int64_t least)
{
	int64_t n = json_integer_value(json_object_get(rate, name));

	return n < least ? least : n;
}

int price_read(struct price_list *ret, const json_t *rate)
{
	if (!json_is_object(rate) || !json_object_get(rate, "price"))
		return -EINVAL;
	*ret = (struct price_list){ .price = amount_of(rate, "price"),
				    .setup_fee = amount_of(rate, "setup_fee"),
				    .tax_percent = amount_of(rate, "tax_percent"),
				    .unit_s = number_of(rate, "unit", 1),
				    .first_s = number_of(rate, "first", 1),
				    .step_s = number_of(rate, "step", 1),
				    .sections = json_object_get(rate, "sections") };
	return 0;
}

/* Whole seconds of a measured time. */
static int64_t seconds_of(int64_t hold_ms, const struct price_rules *r)
{
	int64_t s = hold_ms / 1000;

	if (hold_ms % 1000 >= r->precision_ms)
		s++;
	return s > r->free_s ? s - r->free_s : 0;
}

/* Seconds charged for: the first increment whole, then whole steps. */
static int64_t billed_of(const struct price_list *p, int64_t s)
{
	int64_t billed = p->first_s;

	if (s == 0)
		return 0;
	while (billed < s) {
		int64_t steps = (s - billed + p->step_s - 1) / p->step_s;

		billed += steps * p->step_s;
	}
	return billed;
}

/* The sections of a rate, the rate's own price first. */
static int read_sections(const struct price_list *p, struct section *ret, int *ret_count)
{
	*ret_count = 1;
	ret[0] = (struct section){ 0, p->price };
	for (size_t i = 0; i < json_array_size(p->sections); i++) {
		struct str rest = str_of(json_string_value(json_array_get(p->sections, i))), from;
		struct section *s = &ret[*ret_count];

		if (*ret_count == SECTIONS_MAX || !str_split(&rest, ':', &from) ||
		    str_to_i64(from, 0, 1000000, &s->from_s) < 0 ||
		    money_parse(str_trim(rest), &s->price) < 0)
			return -EINVAL;
		(*ret_count)++;
	}
	return 0;
}

/* Each second at the price of the section it lies in; times unit_s, so that it stays whole. */
static int128_t cost_of(const struct section *s, int count, int64_t billed)
{
	int128_t sum = 0;

	for (int i = 0; i < count; i++) {
		int64_t end = i + 1 < count && s[i + 1].from_s < billed ? s[i + 1].from_s : billed;

		if (end > s[i].from_s)
			sum += (int128_t)(end - s[i].from_s) * s[i].price;
	}
	return sum;
}

static money_t quantum_of(const struct price_rules *r)
{
	money_t q = MONEY_ONE;

	if (r->unit > 0)
		return r->unit;
	if (r->digits == 0)
		return 1;
	for (int64_t i = 0; i < r->digits; i++)
		q /= 10;
	return q;
}

/* num / den to the nearest multiple of q, halves up. Nothing here is negative. */
static int nearest(int128_t num, int128_t den, money_t q, money_t *ret)
{
	int128_t whole = den * q;
	int128_t times = num / whole;

	if (num % whole * 2 >= whole)
		times++;
	if (times > MONEY_MAX / q)
		return -ERANGE;
	*ret = (money_t)times * q;
	return 0;
}

int price_sum(const struct price_list *p, const struct price_rules *rules, int64_t hold_ms,
	      struct price_sum *ret)
{
	struct section section[SECTIONS_MAX];
	struct price_sum sum = { 0 };
	int count, r = read_sections(p, section, &count);

	if (r < 0)
		return r;
	sum.billed_s = billed_of(p, seconds_of(hold_ms, rules));
	if (sum.billed_s > 0) {
		int128_t exact =
			cost_of(section, count, sum.billed_s) + (int128_t)p->setup_fee * p->unit_s;
		money_t q = quantum_of(rules);

		r = nearest(exact, p->unit_s, q, &sum.fee);
		if (r == 0)
			r = nearest((int128_t)sum.fee * p->tax_percent, (int128_t)100 * MONEY_ONE,
				    q, &sum.tax);
	}
	if (r == 0)
		*ret = sum;
	return r;
}
