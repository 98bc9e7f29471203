#include "model/value.h"

#include <errno.h>

#include "base/clock.h"
#include "base/money.h"
#include "model/utf8.h"

static bool is_within(const struct value_rule *rule, int64_t n)
{
	return n >= rule->min && n <= rule->max;
}

/* --- numbers --- */

static int parse_int(const struct value_rule *rule, struct str s, int64_t *ret)
{
	return str_to_i64(s, rule->min, rule->max, ret) < 0 ? -EINVAL : 0;
}

static int parse_decimal(const struct value_rule *rule, struct str s, int64_t *ret)
{
	money_t m;

	if (money_parse(s, &m) < 0 || !is_within(rule, m))
		return -EINVAL;
	*ret = m;
	return 0;
}

static int parse_choice(const struct value_rule *rule, struct str s, int64_t *ret)
{
	for (int64_t i = 0; rule->values && rule->values[i]; i++) {
		if (str_ieq(s, str_of(rule->values[i]))) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_bool(const struct value_rule *rule, struct str s, int64_t *ret)
{
	static const char *const words[] = { "false", "true", "off", "on", "no",
					     "yes",   "0",    "1",   NULL };
	const struct value_rule any = { .values = words };
	int64_t i;

	(void)rule;
	if (parse_choice(&any, s, &i) < 0)
		return -EINVAL;
	*ret = i % 2;
	return 0;
}

static int parse_time(const struct value_rule *rule, struct str s, int64_t *ret)
{
	ms_t t;

	if (clock_parse(s, &t) < 0 || !is_within(rule, t))
		return -EINVAL;
	*ret = t;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int parse_id(const struct value_rule *rule, struct str s, int64_t *ret)
{
	uint64_t v = 0;

	if (s.n > 16)
		return -EINVAL;
	for (size_t i = 0; i < s.n; i++) {
		int digit = hex_digit(s.p[i]);

		if (digit < 0)
			return -EINVAL;
		v = v << 4 | (uint64_t)digit;
	}
	if (v > INT64_MAX || !is_within(rule, (int64_t)v))
		return -EINVAL;
	*ret = (int64_t)v;
	return 0;
}

/* --- texts --- */

static bool is_phone_number(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if ((c < '0' || c > '9') && c != '*' && c != '#')
			return false;
	}
	return true;
}

static bool is_clean(struct str s)
{
	int32_t c;

	while (utf8_next(&s, &c)) {
		if (c == UTF8_BAD || utf8_is_control(c))
			return false;
	}
	return true;
}

static int put_text(const struct value_rule *rule, struct str s, struct buf *text)
{
	if (!is_clean(s) || !is_within(rule, (int64_t)utf8_length(s)))
		return -EINVAL;
	buf_put(text, s);
	return 0;
}

static int put_number(const struct value_rule *rule, struct str s, struct buf *text)
{
	return is_phone_number(s) ? put_text(rule, s, text) : -EINVAL;
}

static int put_int(const struct value_rule *rule, struct str s, struct buf *text)
{
	int64_t n;

	if (parse_int(rule, s, &n) < 0)
		return -EINVAL;
	buf_put_i64(text, n);
	return 0;
}

static int put_range(const struct value_rule *rule, struct str s, struct buf *text)
{
	struct str first, last;
	int64_t a, b;

	if (!str_split(&s, str_chr(s, ',') >= 0 ? ',' : '-', &first))
		return -EINVAL;
	last = str_trim(s);
	if (parse_int(rule, first, &a) < 0 || parse_int(rule, last, &b) < 0 || a > b)
		return -EINVAL;
	buf_printf(text, "%lld,%lld", (long long)a, (long long)b);
	return 0;
}

static int put_item(const struct value_rule *rule, struct str s, struct buf *text)
{
	int64_t i;

	switch (rule->item) {
	case VALUE_INT:
		return put_int(rule, s, text);
	case VALUE_CHOICE:
		if (parse_choice(rule, s, &i) < 0)
			return -EINVAL;
		buf_putz(text, rule->values[i]);
		return 0;
	case VALUE_NUMBER:
		if (!is_phone_number(s))
			return -EINVAL;
		buf_put(text, s);
		return 0;
	default:
		if (str_chr(s, ' ') >= 0 || !is_clean(s))
			return -EINVAL;
		buf_put(text, s);
		return 0;
	}
}

static int put_list(const struct value_rule *rule, struct str s, struct buf *text)
{
	struct str item;

	if (str_has_suffix(s, STR(",")))
		return -EINVAL;
	for (bool is_first = true; str_split(&s, ',', &item); is_first = false) {
		if (!is_first)
			buf_putc(text, ',');
		if (str_is_empty(item) || put_item(rule, item, text) < 0)
			return -EINVAL;
	}
	return rule->item == VALUE_INT || is_within(rule, (int64_t)text->n) ? 0 : -EINVAL;
}

/* --- what is accepted --- */

static void put_choices(const char *const *values, struct buf *out)
{
	for (int i = 0; values[i]; i++) {
		if (i > 0)
			buf_putz(out, values[i + 1] ? ", " : " or ");
		buf_putz(out, values[i]);
	}
}

static void put_bound(const struct value_rule *rule, int64_t n, struct buf *out)
{
	if (rule->kind == VALUE_DECIMAL)
		buf_put_money(out, n);
	else
		buf_put_i64(out, n);
}

static void put_bounds(const struct value_rule *rule, const char *what, struct buf *out)
{
	bool has_min = rule->min != VALUE_MIN, has_max = rule->max != VALUE_MAX;

	if (!has_min && !has_max)
		buf_putz(out, what);
	if (has_min && !has_max)
		buf_putz(out, "at least ");
	if (has_max && !has_min)
		buf_putz(out, "at most ");
	if (has_min)
		put_bound(rule, rule->min, out);
	if (has_min && has_max)
		buf_putz(out, " to ");
	if (has_max)
		put_bound(rule, rule->max, out);
	if (rule->unit[0])
		buf_printf(out, " %s", rule->unit);
}

static void put_length(const struct value_rule *rule, const char *what, struct buf *out)
{
	buf_putz(out, what);
	if (rule->max != VALUE_MAX)
		buf_printf(out, ", up to %lld characters", (long long)rule->max);
}

static void accept_text(const struct value_rule *rule, struct buf *out)
{
	put_length(rule, "text without control characters", out);
}

static void accept_number(const struct value_rule *rule, struct buf *out)
{
	put_length(rule, "digits, * and #", out);
}

static void accept_int(const struct value_rule *rule, struct buf *out)
{
	put_bounds(rule, "a whole number", out);
}

static void accept_bool(const struct value_rule *rule, struct buf *out)
{
	static const char *const no_yes[] = { "false", "true", NULL };

	put_choices(rule->values ? rule->values : no_yes, out);
}

static void accept_choice(const struct value_rule *rule, struct buf *out)
{
	put_choices(rule->values, out);
}

static void accept_decimal(const struct value_rule *rule, struct buf *out)
{
	put_bounds(rule, "an amount", out);
	buf_putz(out, ", at most 8 decimals");
}

static void accept_time(const struct value_rule *rule, struct buf *out)
{
	(void)rule;
	buf_putz(out, "a time with its offset, such as 2026-12-01T00:00:00Z, or a date");
}

static void accept_id(const struct value_rule *rule, struct buf *out)
{
	(void)rule;
	buf_putz(out, "up to 16 hex digits");
}

static void accept_range(const struct value_rule *rule, struct buf *out)
{
	buf_putz(out, "first,last, both ");
	put_bounds(rule, "whole numbers", out);
}

static void accept_list(const struct value_rule *rule, struct buf *out)
{
	buf_putz(out, "separated by commas: ");
	if (rule->item == VALUE_CHOICE)
		put_choices(rule->values, out);
	else if (rule->item == VALUE_INT)
		put_bounds(rule, "whole numbers", out);
	else
		put_length(rule,
			   rule->item == VALUE_NUMBER ? "digits, * and #" : "items without blanks",
			   out);
}

/* --- any --- */

typedef int parse_fn(const struct value_rule *rule, struct str s, int64_t *ret);
typedef int put_fn(const struct value_rule *rule, struct str s, struct buf *text);
typedef void accept_fn(const struct value_rule *rule, struct buf *out);

/* What is a number has parse, what is a text has put. */
static const struct {
	parse_fn *parse;
	put_fn *put;
	accept_fn *accept;
} kinds[] = {
	[VALUE_TEXT] = { NULL, put_text, accept_text },
	[VALUE_NUMBER] = { NULL, put_number, accept_number },
	[VALUE_INT] = { parse_int, NULL, accept_int },
	[VALUE_BOOL] = { parse_bool, NULL, accept_bool },
	[VALUE_CHOICE] = { parse_choice, NULL, accept_choice },
	[VALUE_DECIMAL] = { parse_decimal, NULL, accept_decimal },
	[VALUE_TIME] = { parse_time, NULL, accept_time },
	[VALUE_ID] = { parse_id, NULL, accept_id },
	[VALUE_RANGE] = { NULL, put_range, accept_range },
	[VALUE_LIST] = { NULL, put_list, accept_list },
};

bool value_is_text(enum value_kind k)
{
	return kinds[k].put != NULL;
}

int value_parse(const struct value_rule *rule, struct str given, int64_t *ret, struct buf *text)
{
	if (str_is_empty(given))
		return -EINVAL;
	if (!value_is_text(rule->kind))
		return kinds[rule->kind].parse(rule, given, ret);

	buf_clear(text);
	int r = kinds[rule->kind].put(rule, given, text);
	return r < 0 ? r : buf_error(text);
}

void value_accepts(const struct value_rule *rule, struct buf *out)
{
	kinds[rule->kind].accept(rule, out);
}
