#include "base/money.h"

#include <assert.h>
#include <errno.h>

enum { DECIMALS = 8 };

/* Whole and fraction, both digits only. */
struct number {
	struct str whole;
	struct str fraction; /* empty if there is no point */
};

static int split(struct str s, struct number *ret)
{
	ptrdiff_t point = str_chr(s, '.');
	struct number n = { .whole = s };

	if (point >= 0) {
		n.whole = str_head(s, (size_t)point);
		n.fraction = str_skip(s, (size_t)point + 1);
		if (!str_is_digits(n.fraction) || n.fraction.n > DECIMALS)
			return -EINVAL;
	}
	if (!str_is_digits(n.whole))
		return -EINVAL;
	*ret = n;
	return 0;
}

/* The sign is applied to a magnitude: INT64_MIN has no positive counterpart. */
static int apply_sign(uint64_t magnitude, bool negative, money_t *ret)
{
	if (magnitude > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	*ret = (money_t)(negative ? -magnitude : magnitude);
	return 0;
}

int money_parse(struct str s, money_t *ret)
{
	bool negative = s.n > 0 && s.p[0] == '-';
	struct number n;
	uint64_t v;
	int r = split(negative ? str_skip(s, 1) : s, &n);

	if (r < 0)
		return r;
	r = str_to_u64(n.whole, UINT64_MAX, &v);
	if (r < 0)
		return r;
	for (size_t i = 0; i < DECIMALS; i++) {
		uint64_t digit = i < n.fraction.n ? (uint64_t)(n.fraction.p[i] - '0') : 0;

		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, digit, &v))
			return -ERANGE;
	}
	return apply_sign(v, negative, ret);
}

void buf_put_money(struct buf *b, money_t m)
{
	uint64_t u = m < 0 ? -(uint64_t)m : (uint64_t)m;
	uint64_t fraction = u % MONEY_ONE;
	int digits = DECIMALS;

	if (m < 0)
		buf_putc(b, '-');
	buf_put_u64(b, u / MONEY_ONE);
	if (fraction == 0)
		return;

	while (fraction % 10 == 0) {
		fraction /= 10;
		digits--;
	}
	buf_printf(b, ".%0*llu", digits, (unsigned long long)fraction);
}

const char *money_text(money_t m, char out[MONEY_TEXT])
{
	struct buf b = buf_fixed(out, MONEY_TEXT);

	buf_put_money(&b, m);
	return buf_cstr(&b);
}

money_t money_unit(int decimals)
{
	money_t unit = MONEY_ONE;

	assert(decimals >= 0 && decimals <= 8);
	while (decimals-- > 0)
		unit /= 10;
	return unit;
}

int money_add(money_t a, money_t b, money_t *ret)
{
	money_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return -ERANGE;
	*ret = sum;
	return 0;
}

int money_sub(money_t a, money_t b, money_t *ret)
{
	money_t difference;

	if (__builtin_sub_overflow(a, b, &difference))
		return -ERANGE;
	*ret = difference;
	return 0;
}

/*
 * |num| ÷ den = q + rest/den, and q = steps * quantum + over. What lies above `steps` is
 * (over + rest/den) / quantum, and it rounds up if over + rest/den ≥ quantum / 2. Both divisions
 * are by themselves, so that den * quantum, which may need 190 bits, is never formed.
 */
int money_round(int128_t num, int128_t den, money_t quantum, money_t *ret)
{
	assert(den > 0 && quantum > 0);

	bool negative = num < 0;
	uint128_t n = negative ? -(uint128_t)num : (uint128_t)num;
	uint128_t d = (uint128_t)den;
	uint64_t step = (uint64_t)quantum;

	uint128_t q = n / d, rest = n % d;
	uint128_t steps = q / step;
	uint64_t over = (uint64_t)(q % step), half = step / 2;
	bool up = over > half || (over == half && (step % 2 == 0 || rest >= d - rest));

	uint64_t magnitude;
	if (__builtin_mul_overflow(steps + up, (uint128_t)step, &n) || n > UINT64_MAX)
		return -ERANGE;
	magnitude = (uint64_t)n;
	return apply_sign(magnitude, negative, ret);
}
