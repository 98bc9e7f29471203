#include "call/trap.h"

#include "call/inner.h"
#include "sip/uri.h"

static bool is_trap(const struct world *w, struct str number)
{
	return w->traps && number.n > 0 && numlist_has(w->traps, number);
}

/* *ret_room keeps the number that the URI names. */
static struct str number_of(const struct uri *u, struct number *ret_room)
{
	char room[NUMBER_MAX + 1];
	struct buf b = buf_fixed(room, sizeof(room));

	if (uri_number(u, &b) < 0 || number_set(ret_room, buf_str(&b)) < 0)
		return STR("");
	return str_of(ret_room->digits);
}

void trap_stranger(struct worker *w, const struct msg *m)
{
	struct number to, uri;
	struct str wanted;

	if (!w->world->traps || worker_knows(w, &m->flow.peer))
		return;
	wanted = number_of(&m->to, &to);
	if (!is_trap(w->world, wanted) && m->method == METHOD_INVITE)
		wanted = number_of(&m->uri, &uri);
	if (is_trap(w->world, wanted))
		report_honeypot(w->report, &m->flow, false, STR(""), wanted, w->loop.now_ms);
}

enum reason trap_check(struct inquiry *q)
{
	if (q->callee_is_white || !is_trap(q->world, str_of(q->callee.digits)))
		return REASON_NONE;
	q->is_trapped = true;
	trail_add(&q->trail, "honeypot", "refuse", "%s: %s is of a honeypot list",
		  reason_name(REASON_BLACKLISTED), q->callee.digits);
	return REASON_BLACKLISTED;
}

void trap_tell(struct worker *w, const struct msg *m, const struct inquiry *q)
{
	const struct source *s = q->source;

	if (!q->is_trapped)
		return;
	atomic_fetch_add(&s->gate->trapped, 1);
	report_honeypot(w->report, &m->flow, s->row->auth == MAPPING_GATEWAY_AUTH_PASSWORD,
			str_of(s->row->name), str_of(q->callee.digits), w->loop.now_ms);
}
