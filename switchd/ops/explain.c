#include <errno.h>
#include <string.h>

#include "call/inquiry.h"
#include "call/lookup.h"
#include "ops/inner.h"
#include "ops/what_if.h"
#include "sip/uri.h"

/* As a call would bring it, in the user part of a URI: a plus, separators and parameters come off there. What is no number is none. */
static int read_number(const char *name, struct str text, struct number *ret, struct err *err)
{
	CLEANUP(buf_done) struct buf uri = BUF_INIT;
	char room[NUMBER_MAX + 1];
	struct buf digits = buf_fixed(room, sizeof(room));
	struct uri u;

	buf_printf(&uri, "sip:%.*s@host", STR_ARG(text));
	if (buf_error(&uri) || uri_parse(buf_str(&uri), &u) < 0 || !str_eq(u.host, STR("host")))
		return err_set(err, ERR_BAD_VALUE, name, text, "what can stand in a SIP URI",
			       "not a number");
	if (uri_number(&u, &digits) == 0)
		return number_set(ret, buf_str(&digits));
	ret->digits[0] = '\0';
	return 0;
}

static int read_numbers(const struct request *r, struct inquiry *q, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int error = arg_need(r, "callee", &text, err);

	if (error == 0)
		error = read_number("callee", buf_str(&text), &q->callee_in, err);
	if (error == 0 && arg_text(r, "caller", &text))
		error = read_number("caller", buf_str(&text), &q->caller_in, err);
	if (error == 0 && arg_text(r, "ported", &text))
		error = read_number("ported", buf_str(&text), &q->ported, err);
	return error;
}

static enum reason choose_among(struct ops *o, struct inquiry *q)
{
	const struct phone *p = world_phone_called(q->world, str_of(q->callee.digits));

	q->contacts = p && registration_is_live(o, p->row->number);
	return choose_all(q);
}

/* The same code as a call, with eyes only: what a call would be told, and every vendor's verdict. */
static json_t *explain(struct ops *o, struct inquiry *q)
{
	CLEANUP(buf_done) struct buf scratch = BUF_INIT;
	bool asks_first = q->source->row->rate_number == MAPPING_GATEWAY_RATE_NUMBER_PORTED;
	enum reason r = admit(q);
	const char *verdict;

	if (r == REASON_NONE && asks_first)
		lookup_explain(q);
	if (r == REASON_NONE)
		r = admit_price(q);
	if (r == REASON_NONE && !asks_first)
		lookup_explain(q);
	if (r == REASON_NONE)
		r = choose_among(o, q);
	verdict = r == REASON_NONE ? "ok" : reason_name(r);

	struct str steps = trail_text(&q->trail, &scratch);
	json_t *list = steps.p ? json_loadb(steps.p, steps.n, 0, NULL) : NULL;

	return json_pack("{s:s s:i s:s s:s s:s s:o}", "verdict", verdict, "sip_code",
			 r == REASON_NONE ? 200 : reason_sip_code(r), "gateway",
			 q->source->row->name, "caller", q->caller.digits, "callee",
			 q->callee.digits, "steps", list ? list : json_array());
}

static int find_source(const struct request *r, struct inquiry *q, struct err *err)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	int error = arg_need(r, "gateway", &name, err);

	if (error < 0)
		return error;
	q->source = world_source(q->world, buf_cstr(&name));
	if (!q->source && world_phone(q->world, buf_cstr(&name)))
		q->source = &world_phone(q->world, buf_cstr(&name))->source;
	if (!q->source)
		return err_set(err, ERR_NOT_FOUND, "gateway", buf_str(&name),
			       "the name of a mapping gateway, or a phone's number",
			       "there is no such mapping gateway");
	return 0;
}

int route_explain(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	struct inquiry q = { .hub = o->hub, .is_dry = true, .mono_ms = clock_mono_ms() };
	struct what_if w = { 0 };
	int error = what_if_begin(o, r, &w, &q.world, err);

	q.assume = w.assume;
	q.assumed = w.assumed;
	if (error == 0)
		error = find_source(r, &q, err);
	if (error == 0)
		error = arg_time(r, "at", clock_wall_ms(), &q.wall_ms, err);
	if (error == 0)
		error = read_numbers(r, &q, err);
	if (error == 0)
		*ret = explain(o, &q);
	inquiry_done(&q);
	what_if_end(o, &w);
	return error == 0 && !*ret ? -ENOMEM : error;
}
