#include <string.h>

#include "call/inner.h"

/* What is longer than a note has room for is cut: it is for finding and showing. */
static void set(char (*dst)[TRACE_NAME + 1], const char *text)
{
	(void)str_copy(*dst, sizeof(*dst), str_head(str_of(text), TRACE_NAME));
}

static struct tap_note note_of(const struct call *c)
{
	struct tap_note n;

	memset(&n, 0, sizeof(n)); /* padding too: it is read as bytes */
	n.call_id = c->id;
	return n;
}

void traced_call(const struct call *c)
{
	struct tap *t = c->worker->tap;

	if (!tap_is_on(t))
		return;
	struct tap_note n = note_of(c);
	set(&n.gateway, c->cdr->mapping_gateway);
	set(&n.number[0], c->q.caller_in.digits);
	set(&n.number[1], c->q.callee_in.digits);
	set(&n.number[2], c->q.caller.digits);
	set(&n.number[3], c->q.callee.digits);
	tap_note(t, &n, str_of(c->caller.dialog.call_id));
}

void traced_leg(const struct leg *l)
{
	struct tap *t = l->call->worker->tap;

	if (!tap_is_on(t))
		return;
	struct tap_note n = note_of(l->call);
	n.is_vendor = true;
	n.attempt = l->attempt;
	set(&n.gateway, l->gateway);
	set(&n.number[0], l->caller_out.digits);
	set(&n.number[1], l->callee_out.digits);
	tap_note(t, &n, str_of(l->dialog.call_id));
}

void traced_all(struct worker *w)
{
	struct hnode *call;
	struct list *it, *tmp;

	HTAB_EACH (call, &w->calls) {
		const struct call *c = CONTAINER(call, struct call, by_id);

		traced_call(c);
		LIST_EACH (it, tmp, &c->tries)
			traced_leg(CONTAINER(it, struct leg, node));
	}
}
