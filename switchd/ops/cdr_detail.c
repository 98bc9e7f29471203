#include "ops/cdr_detail.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/json.h"
#include "rating/gift.h"
#include "rating/share.h"

/* ---- attempts ---- */

static int64_t number(const json_t *step, const char *name)
{
	return json_integer_value(json_object_get(step, name));
}

static json_t *find_try(json_t *attempts, int64_t n)
{
	for (size_t i = 0; i < json_array_size(attempts); i++) {
		if (number(json_array_get(attempts, i), "try") == n)
			return json_array_get(attempts, i);
	}
	return NULL;
}

static json_t *begin_try(const struct cdr_row *r, const json_t *step)
{
	char at[CLOCK_TEXT];

	return json_pack("{s:I s:O s:s s:n s:s s:n s:n}", "try", (json_int_t)number(step, "try"),
			 "gateway", json_object_get(step, "step"), "sent",
			 clock_text(r->start + number(step, "ms"), at), "after_ms", "result",
			 "given up", "code", "reason");
}

/* What came of it; after_ms counts from the call's INVITE. */
static int end_try(json_t *attempt, const json_t *step)
{
	static const char *const members[] = { "code", "reason" };
	int r = json_object_set(attempt, "result", json_object_get(step, "verdict"));

	if (r == 0)
		r = json_object_set(attempt, "after_ms", json_object_get(step, "ms"));
	for (size_t i = 0; r == 0 && i < sizeof(members) / sizeof(members[0]); i++) {
		json_t *v = json_object_get(step, members[i]);

		if (v)
			r = json_object_set(attempt, members[i], v);
	}
	return r < 0 ? -ENOMEM : 0;
}

static int add_attempts(const struct cdr_row *r, json_t *object)
{
	CLEANUP(json_decref) json_t *steps = NULL;
	json_t *attempts = json_array();
	int e = json_object_set_new(object, "attempts", attempts) < 0 ? -ENOMEM : 0;

	steps = r->decisions ? json_loads(r->decisions, 0, NULL) : NULL;
	for (size_t i = 0; e == 0 && i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i);
		json_t *known = find_try(attempts, number(step, "try"));

		if (!json_is_integer(json_object_get(step, "try")))
			continue;
		if (known)
			e = end_try(known, step);
		else if (json_array_append_new(attempts, begin_try(r, step)) < 0)
			e = -ENOMEM;
	}
	return e;
}

/* ---- charges ---- */

static json_t *money_json(money_t m)
{
	char text[MONEY_TEXT];

	return json_string(money_text(m, text));
}

static int put_step(json_t *steps, const struct terms *t, int64_t from, int64_t to, money_t price)
{
	if (to <= from)
		return 0;
	return json_array_append_new(
		       steps, json_pack("{s:I s:I s:o s:I}", "from_s", (json_int_t)from, "seconds",
					(json_int_t)(to - from), "price", money_json(price),
					"unit_s", (json_int_t)t->unit_s)) < 0
		       ? -ENOMEM
		       : 0;
}

static json_t *put_steps(const struct terms *t, int64_t billed_s)
{
	json_t *steps = json_array();
	int64_t from = 0;
	money_t price = t->price;
	int r = steps ? 0 : -ENOMEM;

	for (int i = 0; r == 0 && i < t->section_count && t->section[i].start_s < billed_s; i++) {
		r = put_step(steps, t, from, t->section[i].start_s, price);
		from = t->section[i].start_s;
		price = t->section[i].price;
	}
	if (r == 0)
		r = put_step(steps, t, from, billed_s, price);
	if (r == 0)
		return steps;
	json_decref(steps);
	return NULL;
}

/* One party's side; NULL members of a record are null here, too. */
static json_t *put_charge(const char *terms, const char *prefix, const char *origin,
			  int64_t version, int64_t hold_ms, const struct given *given)
{
	struct charge c;
	struct terms t;

	if (!terms || terms_parse(str_of(terms), &t) < 0 || terms_check(&t) < 0 ||
	    charge_compute_given(&t, given, hold_ms, &c) < 0)
		return json_null();
	return json_pack(
		"{s:s? s:s? s:o s:I s:I s:o s:o s:o s:o s:o}", "prefix", prefix, "origin", origin,
		"version", version == FIELD_ABSENT ? json_null() : json_integer(version), "hold_s",
		(json_int_t)c.hold_s, "billed_s", (json_int_t)c.billed_s, "steps",
		put_steps(&t, c.billed_s), "setup_fee", money_json(c.billed_s ? t.setup_fee : 0),
		"tax_percent", money_json(t.tax_percent), "fee", money_json(c.fee), "tax",
		money_json(c.tax));
}

static json_t *put_agent(const struct share *x, int64_t hold_ms)
{
	CLEANUP(buf_done) struct buf terms = BUF_INIT;
	json_t *price = NULL;

	if (x->is_rated) {
		terms_put(&x->terms, &terms);
		price = put_charge(buf_cstr(&terms), x->prefix, NULL, x->version, hold_ms, NULL);
	}
	return json_pack("{s:o s:o s:o s:o}", "agent", json_of_text(str_of(x->agent)), "charge",
			 money_json(x->charge), "income", money_json(x->income), "price",
			 price ? price : json_null());
}

/* In place of their text: each agent, what it was charged and how, and what it earned. */
static int add_agents(const struct cdr_row *r, json_t *object)
{
	struct shares s = { 0 };
	json_t *list;
	int e = r->agents ? shares_parse(str_of(r->agents), &s) : -EINVAL;

	if (e == -EINVAL)
		return 0;
	list = json_array();
	for (int i = 0; e == 0 && i < s.count; i++)
		e = json_array_append_new(list, put_agent(&s.of[i], r->hold_ms));
	shares_done(&s);
	return json_object_set_new(object, "agents", list) < 0 || e < 0 ? -ENOMEM : 0;
}

int cdr_detail_add(const struct cdr_row *r, json_t *object)
{
	bool was_charged = r->answer != FIELD_ABSENT && r->sip_code == 200;
	struct given given;
	struct gift g = { 0 };
	int e = add_attempts(r, object);

	if (r->packages && gift_parse(str_of(r->packages), &g) < 0)
		g.count = 0;
	gift_sum(&g, &given);

	if (e == 0)
		e = add_agents(r, object);
	if (e == 0 && was_charged &&
	    (json_object_set_new(object, "price",
				 put_charge(r->rate_terms, r->rate_prefix, r->rate_origin,
					    r->rate_version, r->hold_ms, &given)) < 0 ||
	     json_object_set_new(object, "expense",
				 put_charge(r->cost_terms, r->cost_prefix, r->cost_origin,
					    r->cost_version, r->hold_ms, NULL)) < 0))
		e = -ENOMEM;
	return e;
}
