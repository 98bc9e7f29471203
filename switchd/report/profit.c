#include "report/profit.h"

#include <errno.h>

#include "base/buf.h"
#include "model/param.h"

/* Each as it is added, and as it is taken off. */
static const struct {
	const char *name, *plus, *minus;
} terms[] = {
	{ "call charge", "+fee+tax", "-fee-tax" },
	{ "call fee", "+fee", "-fee" },
	{ "tax", "+tax", "-tax" },
	{ "sub", "+agent_income", "-agent_income" },
	{ "call expense", "+cost", "-cost" },
};

static int refuse(struct str given, struct err *err)
{
	return err_set(err, ERR_BAD_VALUE, param_infos[PARAM_SERVER_BILLING_PROFIT_CALCULATE].name,
		       given,
		       "up to 8 of: call charge (with tax), call fee, tax, sub (agents' income), "
		       "call expense, with + or - between",
		       "not a formula of a profit");
}

static int put_term(struct str word, bool is_minus, struct buf *out)
{
	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
		if (!str_ieq(word, str_of(terms[i].name)))
			continue;
		buf_putz(out, is_minus ? terms[i].minus : terms[i].plus);
		return 0;
	}
	return -EINVAL;
}

int profit_read(struct str text, struct profit *ret, struct err *err)
{
	struct profit p;
	struct buf line = buf_fixed(p.line, sizeof(p.line));
	struct buf margin = buf_fixed(p.margin, sizeof(p.margin));
	struct str rest = str_trim(text);
	bool is_minus = false;
	int n = 0;

	if (rest.n && (rest.p[0] == '-' || rest.p[0] == '+')) {
		is_minus = rest.p[0] == '-';
		rest = str_skip(rest, 1);
	}
	for (bool has_more = true; has_more; n++) {
		size_t end = 0;

		while (end < rest.n && rest.p[end] != '-' && rest.p[end] != '+')
			end++;
		has_more = end < rest.n;
		if (n == PROFIT_TERMS ||
		    put_term(str_trim(str_head(rest, end)), is_minus, &line) < 0)
			return refuse(text, err);
		is_minus = has_more && rest.p[end] == '-';
		rest = str_skip(rest, has_more ? end + 1 : end);
	}
	buf_printf(&margin, "%.*s/fee+tax", STR_ARG(buf_str(&line)));
	if (!buf_cstr(&line) || !buf_cstr(&margin))
		return refuse(text, err);
	*ret = p;
	return 0;
}
