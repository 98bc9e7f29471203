#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "call/inner.h"

struct leg *leg_find(struct worker *w, struct str our_tag, struct str call_id)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &w->tags, htab_hash(our_tag))
	{
		struct leg *l = CONTAINER(it, struct leg, by_tag);

		if (str_eq(str_of(l->dialog.local_tag), our_tag) &&
		    str_eq(str_of(l->dialog.call_id), call_id))
			return l;
	}
	return NULL;
}

int leg_begin(struct leg *l, struct call *c, enum side side, const char *tag)
{
	l->call = c;
	l->side = side;
	l->origin = (struct sdp_origin){ .session_id = rand_u64() >> 2, .version = 0 };
	htab_add(&c->worker->tags, &l->by_tag, htab_hash(str_of(tag)));
	return 0;
}

void leg_done(struct leg *l)
{
	if (!l->call)
		return;
	htab_del(&l->call->worker->tags, &l->by_tag);
	if (l->invited)
		server_detach(l->invited);
	if (l->inviting)
		client_detach(l->inviting);
	if (l->asked)
		server_detach(l->asked);
	if (l->asking)
		client_detach(l->asking);
	if (l->ending)
		client_detach(l->ending);
	dialog_done(&l->dialog);
	buf_done(&l->ack);
	buf_done(&l->sdp);
	buf_done(&l->described);
	buf_done(&l->described_before);
	free(l->gateway);
	free(l->password_realm);
	price_done(&l->cost);
}

struct leg *leg_create(struct call *c, struct choice *choice)
{
	struct leg *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->gateway = strdup(choice->vendor->row->name);
	if (!l->gateway) {
		free(l);
		return NULL;
	}
	l->gate = choice->vendor->gate;
	l->cost = choice->cost;
	l->has_line = choice->has_line;
	l->caller_out = choice->caller;
	l->callee_out = choice->callee;
	choice->cost = (struct price){ 0 };
	choice->has_line = false;
	l->call = c;
	list_init(&l->node);
	list_add_tail(&c->tries, &l->node);
	return l;
}

void leg_free(struct leg *l)
{
	list_del(&l->node);
	if (l->call->callee == l)
		l->call->callee = NULL;
	leg_done(l);
	free(l);
}

struct leg *leg_other(struct leg *l)
{
	return l->side == SIDE_CALLER ? l->call->callee : &l->call->caller;
}

void leg_settle(struct leg *l, money_t charged)
{
	if (l->cost.purse && (l->cost.held || charged))
		purse_settle(l->cost.purse, l->cost.held, charged);
	l->cost.held = 0;
	if (l->has_line)
		gate_line_give(l->gate);
	l->has_line = false;
}

int leg_request(struct leg *l, enum method method, struct str content_type, struct str body,
		const struct client_owner *o, struct client_txn **ret)
{
	struct worker *w = l->call->worker;
	char branch[STEER_BRANCH];
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	struct client_txn *t;
	struct draft d = { .method = method,
			   .branch = branch,
			   .local = &l->local,
			   .with_contact = method != METHOD_BYE,
			   .content_type = content_type,
			   .body = body };

	steer_mint_branch(branch, w->c.index);
	dialog_put_request(&l->dialog, &d, &out);
	if (buf_error(&out))
		return buf_error(&out);
	int r = client_send(&t, w->sip, method, branch, &l->dialog.flow, buf_str(&out), o, l);
	if (r < 0)
		return r;
	if (ret)
		*ret = t;
	else
		client_detach(t);
	return 0;
}

void leg_ack(struct leg *l, uint32_t cseq, struct str body)
{
	char branch[STEER_BRANCH];
	struct draft d = { .method = METHOD_ACK,
			   .cseq = cseq,
			   .branch = branch,
			   .local = &l->local,
			   .content_type = body.n ? STR("application/sdp") : STR(""),
			   .body = body };

	steer_mint_branch(branch, l->call->worker->c.index);
	buf_clear(&l->ack);
	dialog_put_request(&l->dialog, &d, &l->ack);
	l->is_acked = true;
	leg_repeat_ack(l);
}

void leg_repeat_ack(struct leg *l)
{
	if (l->ack.n && !buf_error(&l->ack))
		(void)sip_send(l->call->worker->sip, &l->dialog.flow, buf_str(&l->ack));
}

/* ---- BYE ---- */

/* Our BYE is over, whatever came of it: with it goes the leg, or the call may. */
static void bye_over(struct leg *l)
{
	struct call *c = l->call;

	if (l->ending)
		client_detach(l->ending);
	l->ending = NULL;
	if (l->side == SIDE_CALLEE)
		leg_free(l);
	call_reap(c);
}

static void on_bye_response(void *ctx, struct client_txn *t, const struct msg *m)
{
	(void)t;
	if (m->status >= 200)
		bye_over(ctx);
}

static void on_bye_fail(void *ctx, struct client_txn *t, int error)
{
	(void)t;
	(void)error;
	bye_over(ctx);
}

static const struct client_owner bye_owner = { on_bye_response, on_bye_fail, NULL };

int leg_flow_to_target(struct worker *w, const struct dialog *d, struct flow *ret)
{
	struct uri u;
	struct addr a;

	if (uri_parse(str_of(d->target), &u) < 0 ||
	    addr_parse(u.host, u.port ? u.port : 5060, &a) < 0)
		return -EINVAL;
	return transport_flow(w->transport, (enum proto)d->flow.proto, &a, ret);
}

/* The connection it came by is gone: the peer's Contact may still be reached over a new one. */
static bool turn_to_contact(struct leg *l)
{
	struct dialog *d = &l->dialog;

	return proto_is_stream((enum proto)d->flow.proto) &&
	       leg_flow_to_target(l->call->worker, d, &d->flow) == 0;
}

static void send_bye(struct leg *l)
{
	l->is_over = true;
	l->bye_is_due = false;
	if (leg_request(l, METHOD_BYE, STR(""), STR(""), &bye_owner, &l->ending) == 0)
		return;
	l->ending = NULL;
	if (turn_to_contact(l))
		(void)leg_request(l, METHOD_BYE, STR(""), STR(""), &bye_owner, &l->ending);
}

void leg_bye(struct leg *l)
{
	if (l->is_over || !l->is_answered)
		return;
	/* RFC 3261 §15: the called side waits for the ACK of its 2xx, or for that to be given up. */
	if (l->side == SIDE_CALLER && !l->is_acked && l->invited) {
		l->bye_is_due = true;
		return;
	}
	/* A 2xx that waits for the caller's ACK still has to be acknowledged before it is ended. */
	if (l->side == SIDE_CALLEE && !l->is_acked)
		leg_ack(l, l->invite_cseq, STR(""));
	send_bye(l);
}

void leg_retire(struct leg *l)
{
	if (l->call->callee == l)
		l->call->callee = NULL;
	if (l->inviting)
		client_detach(l->inviting); /* it has nothing more to say */
	l->inviting = NULL;
	if (!l->ending)
		leg_free(l);
}
