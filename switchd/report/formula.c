#include "report/formula.h"

#include <assert.h>

#include "base/buf.h"
#include "base/money.h"

static int64_t value_of(const struct sums *s, struct str name)
{
	for (int i = 0; s->name[i]; i++) {
		if (str_eq(str_of(s->name[i]), name))
			return s->value[i];
	}
	assert(false); /* the formulas are a table of ours */
	return 0;
}

/* [-]name{+name|-name} */
static int128_t line(const struct sums *s, struct str text)
{
	int128_t total = 0;

	while (text.n) {
		bool is_minus = text.p[0] == '-';
		size_t n = 0;

		if (is_minus || text.p[0] == '+')
			text = str_skip(text, 1);
		while (n < text.n && text.p[n] != '+' && text.p[n] != '-')
			n++;
		int64_t v = value_of(s, str_head(text, n));
		total += is_minus ? -(int128_t)v : v;
		text = str_skip(text, n);
	}
	return total;
}

static json_t *decimals(int64_t hundredths)
{
	char text[32];
	struct buf b = buf_fixed(text, sizeof(text));
	uint64_t v = hundredths < 0 ? -(uint64_t)hundredths : (uint64_t)hundredths;

	buf_printf(&b, "%s%llu.%02llu", hundredths < 0 ? "-" : "", (unsigned long long)(v / 100),
		   (unsigned long long)(v % 100));
	return json_string(buf_cstr(&b));
}

json_t *formula_json(const struct report_column *c, const struct sums *s)
{
	static const struct {
		int num, den;
	} scale[] = { [REPORT_T_INT] = { 1, 1 },
		      [REPORT_T_MONEY] = { 1, 1 },
		      [REPORT_T_PERCENT] = { 10000, 1 },
		      [REPORT_T_MINUTES] = { 10, 6 },
		      [REPORT_T_SECONDS] = { 1, 1000 } };
	struct str text = str_of(c->formula);
	ptrdiff_t at = str_chr(text, '/');
	int128_t num = line(s, at < 0 ? text : str_head(text, (size_t)at)) * scale[c->type].num;
	int128_t den = at < 0 ? 1 : line(s, str_skip(text, (size_t)at + 1));
	char money[MONEY_TEXT];
	int64_t v;

	if (den <= 0)
		return json_null();
	if (money_round(num, den * scale[c->type].den, 1, &v) < 0)
		return NULL;
	switch (c->type) {
	case REPORT_T_MONEY:
		return json_string(money_text(v, money));
	case REPORT_T_PERCENT:
	case REPORT_T_MINUTES:
		return decimals(v);
	default:
		return json_integer(v);
	}
}
