#include "vendor/sender.h"

#include <errno.h>

#include "transport/steer.h"

int sender_find(const struct sender *s, struct means by, const struct addr *peer,
		struct flow *ret_flow, struct addr *ret_local)
{
	int r = transport_flow(s->transport, by.proto, peer, ret_flow);

	if (r < 0)
		return r;
	ret_flow->policy = by.policy;
	transport_local(s->transport, ret_flow, ret_local);
	return 0;
}

int sender_begin(const struct sender *s, struct dialog *d, struct str local, struct str remote,
		 struct str target, const struct flow *flow)
{
	char tag[STEER_TOKEN], call_id[STEER_TOKEN];

	steer_mint(tag, s->worker);
	steer_mint(call_id, s->worker);
	return dialog_for_invite(d, call_id, tag, local, remote, target, flow);
}

int sender_send(const struct sender *s, struct dialog *d, const struct draft *draft,
		const struct client_owner *o, void *ctx, struct client_txn **ret)
{
	char branch[STEER_BRANCH];
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	struct draft own = *draft;

	steer_mint_branch(branch, s->worker);
	own.branch = branch;
	dialog_put_request(d, &own, &out);
	if (buf_error(&out))
		return buf_error(&out);
	return client_send(ret, s->sip, own.method, branch, &d->flow, buf_str(&out), o, ctx);
}

int sender_options(const struct sender *s, struct means by, const struct addr *peer,
		   const struct client_owner *o, void *ctx, struct client_txn **ret)
{
	char here[ADDR_TEXT], there[ADDR_TEXT];
	CLEANUP(buf_done) struct buf local = BUF_INIT, remote = BUF_INIT, target = BUF_INIT;
	struct dialog d = { 0 };
	struct flow flow;
	struct addr us;
	int r = sender_find(s, by, peer, &flow, &us);

	if (r < 0)
		return r;
	buf_printf(&local, "<sip:%s>", addr_text(&us, here));
	buf_printf(&remote, "<sip:%s>", addr_text(peer, there));
	buf_printf(&target, "sip:%s", there);
	if (proto_is_stream(by.proto))
		buf_printf(&target, ";transport=%s", proto_name(by.proto));
	if (buf_error(&local) || buf_error(&remote) || buf_error(&target))
		return -ENOMEM;
	r = sender_begin(s, &d, buf_str(&local), buf_str(&remote), buf_str(&target), &flow);
	if (r == 0)
		r = sender_send(s, &d,
				&(struct draft){ .method = METHOD_OPTIONS,
						 .local = &us,
						 .with_contact = true,
						 .extra = STR("Accept: application/sdp\r\n") },
				o, ctx, ret);
	dialog_done(&d);
	return r;
}
