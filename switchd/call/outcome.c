#include <errno.h>
#include <stdlib.h>

#include "call/inner.h"
#include "call/way.h"
#include "sip/ext.h"

/* What a try says about its vendor: that it works, that it failed, that it wants to be left alone, or that it is elsewhere. */

void outcome_worked(struct leg *l)
{
	if (l->has_outcome)
		return;
	l->has_outcome = true;
	hold_worked(&l->gate->holds, l->prefix);
}

void outcome_untold(struct leg *l)
{
	if (l->gate && !l->has_outcome)
		hold_untold(&l->gate->holds, l->prefix);
	l->has_outcome = true;
}

/* "18", "18 (in a meeting);duration=60": seconds. */
static int64_t retry_after(const struct msg *m)
{
	struct str value;
	size_t n = 0;
	uint32_t s;

	if (!msg_header(m, "Retry-After", 0, &value))
		return 0;
	while (n < value.n && value.p[n] >= '0' && value.p[n] <= '9')
		n++;
	return str_to_u32(str_head(value, n), UINT32_MAX, &s) == 0 ? s : 0;
}

/* behaviour.md: time-outs, transport errors and 500 and 503 without an 18x count; every other answer shows that it works. */
void outcome_failed(struct leg *l, int code, const struct msg *m)
{
	const struct vendor *v = leg_routing_gateway(l);
	ms_t now = l->call->worker->loop.now_ms;

	if (m && code == 503 && v && v->row->retry_after)
		hold_asked(&l->gate->holds, l->prefix, retry_after(m), now);
	if (m && code != 500 && code != 503) {
		outcome_worked(l);
		return;
	}
	if (l->has_outcome || !v)
		return;
	l->has_outcome = true;
	hold_failed(&l->gate->holds, l->prefix, (uint32_t)v->row->breaker_failures,
		    v->row->breaker_pause * 1000, now);
}

int outcome_code(struct leg *l, const struct msg *m)
{
	const struct vendor *v = leg_routing_gateway(l);
	struct call *c = l->call;
	uint32_t cause = ext_cause(m);
	int code = m->status;

	if (!v)
		return code;

	int by_cause = cause ? codes_map(&v->causes, (int)cause) : 0;

	code = by_cause >= 400 ? by_cause : codes_map(&v->codes, code);
	if (code != m->status)
		trail_add(&c->q.trail, l->gateway, "replace", "code %d by %d%s", m->status, code,
			  by_cause >= 400 ? ", for its Q.850 cause" : "");
	if (cause) {
		c->heard.code = code;
		c->heard.cause = cause;
	}
	return code;
}

/* ---- 3xx ---- */

static int turn_to(struct leg *l, const struct vendor *v, const struct addr *to)
{
	struct worker *w = l->call->worker;
	CLEANUP(buf_done) struct buf target = BUF_INIT;
	char there[ADDR_TEXT];
	struct flow flow;
	char *text;
	int r = way_to_vendor(w, v, to, &flow);

	if (r < 0)
		return r;
	way_put_target(l, v, addr_text(to, there), &target);
	text = buf_steal(&target);
	if (!text)
		return -ENOMEM;
	free(l->dialog.target);
	l->dialog.target = text;
	way_take(l, &flow);
	l->signalling = *to;
	free(l->dialog.remote_tag); /* an early dialog of the one that sent us on */
	free(l->dialog.routes);
	l->dialog.remote_tag = l->dialog.routes = NULL;
	return 0;
}

bool outcome_follow(struct leg *l, const struct msg *m)
{
	struct call *c = l->call;
	const struct vendor *v = leg_routing_gateway(l);
	char there[ADDR_TEXT];
	struct addr to;

	/* Only to the number that was asked for: it is the one that was rated. */
	if (!v || m->status > 302 ||
	    redirect_next(&l->way, m, (enum redirect_rule)v->row->redirect, v->address,
			  v->address_count, str_of(l->callee_out.digits), &to) < 0 ||
	    turn_to(l, v, &to) < 0)
		return false;
	client_detach(l->inviting);
	l->inviting = NULL;
	free(l->password_realm);
	l->password_realm = NULL;
	l->wait = WAIT_ANSWER;
	trail_add(&c->q.trail, l->gateway, "redirected", "by %d to %s", m->status,
		  addr_text(&to, there));
	if (hunt_invite(l, v, buf_str(&l->sdp), STR("")) < 0)
		return false;
	hunt_wait(l, v);
	return true;
}
