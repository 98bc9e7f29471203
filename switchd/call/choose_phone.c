#include "call/inquiry.h"
#include "call/numbers.h"

/* Contacts come best first, each once (phone/binding.h): a call rings at one of them at a time. */
static int next_contact(const struct tried *t, const struct phone *p)
{
	for (int i = 0; i < t->count; i++) {
		if (t->gate[i] == p->vendor.gate)
			return t->addresses[i];
	}
	return 0;
}

static enum reason refuse(struct inquiry *q, enum reason r, const char *why)
{
	trail_add(&q->trail, "phone", "refuse", "%s: %s", reason_name(r), why);
	return r;
}

static enum reason take_line(struct inquiry *q, const struct phone *p, struct choice *c)
{
	uint32_t limit = (uint32_t)p->row->line_limit_in;
	struct gate *g = p->vendor.gate;

	if (q->is_dry)
		return limit && atomic_load(&g->lines) >= limit ? REASON_USER_BUSY : REASON_NONE;
	if (!gate_line_take(g, limit))
		return REASON_USER_BUSY;
	c->has_line = true;
	return REASON_NONE;
}

enum reason choose_phone(struct inquiry *q, const struct phone *p, const struct tried *tried,
			 struct choice *ret)
{
	const struct phone_row *row = p->row;
	struct choice c = { .vendor = &p->vendor };

	if (q->only && q->only != p->vendor.gate)
		return refuse(q, REASON_DESTINATION_FORBIDDEN, "not the one of the replaced call");
	if (row->status == PHONE_STATUS_LOCKED || row->status == PHONE_STATUS_NO_INCOMING ||
	    (row->valid_until != FIELD_ABSENT && q->wall_ms >= row->valid_until))
		return refuse(q, REASON_DESTINATION_FORBIDDEN, "its status or valid_until");
	if (row->do_not_disturb)
		return refuse(q, REASON_USER_BUSY, "do_not_disturb");
	c.address = next_contact(tried, p);
	if (c.address >= q->contacts)
		return refuse(q, REASON_PHONE_OFFLINE,
			      q->contacts ? "no further contact" : "not registered");
	const char *why = numbers_shown(q, p, &c.callee, &c.caller);

	if (why)
		return refuse(q, REASON_NUMBER_INVALID, why);
	enum reason r = take_line(q, p, &c);
	if (r != REASON_NONE)
		return refuse(q, r, "line_limit_in");
	if (q->is_dry)
		trail_add(&q->trail, row->number, "candidate", "phone, registered, is told %s%s%s",
			  c.callee.digits, c.caller.digits[0] ? " from " : "", c.caller.digits);
	*ret = c;
	return REASON_NONE;
}
