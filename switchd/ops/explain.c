#include <errno.h>
#include <string.h>

#include "call/inquiry.h"
#include "ops/inner.h"

static int read_numbers(const struct request *r, struct inquiry *q, struct err *err)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	int error = arg_need(r, "callee", &text, err);

	if (error < 0)
		return error;
	if (number_set(&q->callee_in, buf_str(&text)) < 0 || str_has_control(buf_str(&text)))
		return err_set(err, ERR_BAD_VALUE, "callee", buf_str(&text), "up to 40 digits",
			       "not a number");
	if (arg_text(r, "caller", &text) && number_set(&q->caller_in, buf_str(&text)) < 0)
		return err_set(err, ERR_BAD_VALUE, "caller", buf_str(&text), "up to 40 digits",
			       "not a number");
	return 0;
}

/* The same code as a call, with eyes only: what a call would be told, and every vendor's verdict. */
static json_t *explain(struct inquiry *q)
{
	CLEANUP(buf_done) struct buf scratch = BUF_INIT;
	enum reason r = admit(q);
	const char *verdict;

	if (r == REASON_NONE)
		r = choose_all(q);
	verdict = r == REASON_NONE ? "ok" : reason_name(r);

	struct str steps = trail_text(&q->trail, &scratch);
	json_t *list = steps.p ? json_loadb(steps.p, steps.n, 0, NULL) : NULL;

	return json_pack("{s:s s:i s:s s:s s:s s:o}", "verdict", verdict, "sip_code",
			 r == REASON_NONE ? 200 : reason_sip_code(r), "gateway",
			 q->source->row->name, "caller", q->caller.digits, "callee",
			 q->callee.digits, "steps", list ? list : json_array());
}

int route_explain(struct ops *o, struct request *r, json_t **ret, struct err *err)
{
	CLEANUP(buf_done) struct buf name = BUF_INIT;
	struct inquiry q = { .hub = o->hub, .world = catalog_world(o->catalog), .is_dry = true };
	int error = arg_need(r, "gateway", &name, err);

	if (error < 0)
		return error;
	q.source = world_source(q.world, buf_cstr(&name));
	if (!q.source)
		return err_set(err, ERR_NOT_FOUND, "gateway", buf_str(&name),
			       "the name of a mapping gateway", "there is no such mapping gateway");
	q.mono_ms = clock_mono_ms();
	error = arg_time(r, "at", clock_wall_ms(), &q.wall_ms, err);
	if (error == 0)
		error = read_numbers(r, &q, err);
	if (error == 0)
		*ret = explain(&q);
	inquiry_done(&q);
	return error == 0 && !*ret ? -ENOMEM : error;
}
