#include "call/replace.h"

#include <errno.h>

#include "call/bridge.h"
#include "call/transfer.h"
#include "sip/refer.h"

bool replace_may(const struct source *peer)
{
	return peer->row->call_transfer;
}

/* Is B's side of that call the same gateway's, or the same phone's? */
static bool is_of(const struct leg *l, const struct source *peer)
{
	struct referral r = { .is_phone = peer->phone != NULL };

	return str_copy(r.payer, sizeof(r.payer), str_of(peer->row->name)) == 0 &&
	       transfer_is_of_payer(l, &r);
}

enum reason replace_find(struct worker *w, const struct source *peer, const struct msg *m,
			 struct leg **ret)
{
	struct str value, second;
	struct replaces r;
	struct leg *l;

	if (!replace_may(peer) || !msg_header(m, "Replaces", 0, &value))
		return REASON_NONE;
	if (msg_header(m, "Replaces", 1, &second) || refer_read_replaces(value, &r) < 0)
		return REASON_BAD_REQUEST;
	l = leg_find(w, r.to_tag, r.call_id);
	if (!l || !l->dialog.remote_tag || !str_eq(str_of(l->dialog.remote_tag), r.from_tag) ||
	    !bridge_is_free(l->call))
		return REASON_NO_SUCH_DIALOG;
	if (!is_of(l, peer))
		return REASON_DESTINATION_FORBIDDEN;
	if (r.is_early_only)
		return REASON_USER_BUSY;
	*ret = l;
	return REASON_NONE;
}

void replace_begin(struct call *c, struct leg *replaced)
{
	const struct call *other = replaced->call;
	const bool is_v6[] = {
		[SIDE_CALLER] = addr_is_v6(&c->caller.dialog.flow.peer),
		[SIDE_CALLEE] =
			other->relay && addr_is_v6(relay_local(other->relay, replaced->side)),
	};

	trail_add(&c->q.trail, "transfer", "ok",
		  "in the place of %s in call %s, which is charged on",
		  replaced->side == SIDE_CALLER ? "the caller" : "the callee", other->cdr->call_id);
	if (c->offer.n == 0)
		finish(c, REASON_CODEC_MISMATCH, HANGUP_SWITCH, 0);
	else if (other->relay && relay_open(&c->relay, c->worker->desk, is_v6) < 0)
		finish(c, REASON_NO_MEDIA_PORT, HANGUP_SWITCH, 0);
	else if (!bridge_take_place(c, replaced))
		finish(c, REASON_OVERLOAD, HANGUP_SWITCH, 0);
}
