#include "rating/share.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/json.h"
#include "rating/charge.h"

int shares_add(struct shares *s, const char *agent)
{
	if (s->count == SHARES_MAX)
		return -ENOSPC;

	struct share *x = &s->of[s->count];

	*x = (struct share){ .agent = strdup(agent) };
	if (!x->agent)
		return -ENOMEM;
	s->count++;
	return 0;
}

void shares_done(struct shares *s)
{
	for (int i = 0; i < s->count; i++)
		free(s->of[i].agent);
	s->count = 0;
}

/* ---- arithmetic ---- */

static int compute_one(struct share *x, money_t below, int64_t hold_ms)
{
	struct charge c = { 0 };
	int r = 0;

	x->charge = below;
	if (x->is_rated)
		r = charge_compute(&x->terms, hold_ms, &c);
	if (r == 0 && x->is_rated)
		x->charge = c.fee + c.tax;
	x->billed_s = c.billed_s;
	return r < 0 ? r : money_sub(below, x->charge, &x->income);
}

int shares_compute(struct shares *s, money_t charged, int64_t hold_ms)
{
	struct shares next = *s;
	money_t below = charged;

	for (int i = 0; i < next.count; i++) {
		int r = compute_one(&next.of[i], below, hold_ms);

		if (r < 0)
			return r;
		below = next.of[i].charge;
	}
	*s = next;
	return 0;
}

/* No overflow: the partial sums are differences of two charges. */
money_t shares_income(const struct shares *s)
{
	money_t sum = 0;

	for (int i = 0; i < s->count; i++)
		sum += s->of[i].income;
	return sum;
}

/* ---- text ---- */

static void put_name(const char *name, struct buf *out)
{
	json_t *text = json_of_text(str_of(name));
	char *dump = text ? json_dumps(text, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

	if (dump)
		buf_putz(out, dump);
	else
		out->err = -ENOMEM;
	free(dump);
	json_decref(text);
}

void shares_put(const struct shares *s, struct buf *out)
{
	buf_putc(out, '[');
	for (int i = 0; i < s->count; i++) {
		const struct share *x = &s->of[i];

		buf_putz(out, i ? ",{\"agent\":" : "{\"agent\":");
		put_name(x->agent, out);
		if (x->is_rated) {
			buf_printf(out, ",\"prefix\":\"%s\",\"version\":%lld,\"terms\":\"",
				   x->prefix, (long long)x->version);
			terms_put(&x->terms, out);
			buf_putc(out, '"');
		}
		buf_printf(out, ",\"billed_s\":%lld,\"charge\":%lld,\"income\":%lld}",
			   (long long)x->billed_s, (long long)x->charge, (long long)x->income);
	}
	buf_putc(out, ']');
}

static int parse_rate(const json_t *o, struct share *x)
{
	const char *terms = json_string_value(json_object_get(o, "terms"));
	const char *prefix = json_string_value(json_object_get(o, "prefix"));
	const json_t *version = json_object_get(o, "version");

	if (!prefix || !json_is_integer(version) || terms_parse(str_of(terms), &x->terms) < 0 ||
	    terms_check(&x->terms) < 0 ||
	    str_copy(x->prefix, sizeof(x->prefix), str_of(prefix)) < 0)
		return -EINVAL;
	for (const char *p = prefix; *p; p++) {
		if (*p == '"' || *p == '\\' || (unsigned char)*p < ' ')
			return -EINVAL;
	}
	x->version = json_integer_value(version);
	x->is_rated = true;
	return 0;
}

static int parse_one(const json_t *o, struct shares *ret)
{
	const json_t *billed = json_object_get(o, "billed_s");
	const json_t *charge = json_object_get(o, "charge");
	const json_t *income = json_object_get(o, "income");
	const char *agent = json_string_value(json_object_get(o, "agent"));

	if (!agent || !json_is_integer(billed) || !json_is_integer(charge) ||
	    !json_is_integer(income))
		return -EINVAL;

	int r = shares_add(ret, agent);
	if (r < 0)
		return r == -ENOSPC ? -EINVAL : r;
	struct share *x = &ret->of[ret->count - 1];
	x->billed_s = json_integer_value(billed);
	x->charge = json_integer_value(charge);
	x->income = json_integer_value(income);
	return json_object_get(o, "terms") ? parse_rate(o, x) : 0;
}

int shares_parse(struct str text, struct shares *ret)
{
	CLEANUP(json_decref) json_t *list = NULL;
	int r = 0;

	if (text.n == 0 || text.n > SHARES_TEXT_MAX)
		return -EINVAL;
	list = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_array(list))
		return -EINVAL;
	for (size_t i = 0; r == 0 && i < json_array_size(list); i++)
		r = parse_one(json_array_get(list, i), ret);
	if (r < 0)
		shares_done(ret);
	return r;
}
