#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "call/bridge.h"
#include "call/message.h"
#include "call/move.h"
#include "call/pool.h"
#include "call/transfer.h"
#include "call/way.h"

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

static void init_lists(struct leg *l)
{
	l->session.is_ours = true;
	timer_init(&l->session.timer, NULL);
	timer_init(&l->reliable.timer, NULL);
	list_init(&l->reliable.waiting);
	list_init(&l->forks);
	list_init(&l->passings);
}

int leg_begin(struct leg *l, struct call *c, enum side side, const char *tag)
{
	l->call = c;
	l->side = side;
	l->signalling = l->dialog.flow.peer;
	l->origin = (struct sdp_origin){ .session_id = rand_u64() >> 2, .version = 0 };
	init_lists(l);
	htab_add(&c->worker->tags, &l->by_tag, htab_hash(str_of(tag)));
	return 0;
}

void leg_done(struct leg *l)
{
	if (!l->call)
		return;
	htab_del(&l->call->worker->tags, &l->by_tag);
	move_over(l);
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
	refresh_stop(l);
	reliable_stop(l);
	forks_done(l);
	passings_done(l);
	dialog_done(&l->dialog);
	buf_done(&l->ack);
	buf_done(&l->sdp);
	buf_done(&l->sdp_before);
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
	l->is_phone = choice->vendor->phone != NULL;
	l->longest_s = choice->vendor->row->call_limit;
	l->gate = choice->vendor->gate;
	l->cost = choice->cost;
	l->has_line = choice->has_line;
	l->prefix = choice->prefix;
	l->caller_out = choice->caller;
	l->callee_out = choice->callee;
	choice->cost = (struct price){ 0 };
	choice->has_line = false;
	l->groups = choice->groups;
	choice->groups.count = 0;
	l->pool = choice->pool;
	choice->pool = (struct pool_line){ NULL, 0 };
	l->call = c;
	init_lists(l);
	list_init(&l->node);
	list_add_tail(&c->tries, &l->node);
	return l;
}

const struct vendor *leg_routing_gateway(const struct leg *l)
{
	return l->is_phone ? NULL : world_vendor(l->call->worker->world, l->gateway);
}

const struct vendor *leg_vendor(const struct leg *l)
{
	const struct phone *p =
		l->is_phone ? world_phone(l->call->worker->world, l->gateway) : NULL;

	return p ? &p->vendor : leg_routing_gateway(l);
}

void leg_free(struct leg *l)
{
	outcome_untold(l);
	list_del(&l->node);
	if (l->call->callee == l)
		l->call->callee = NULL;
	leg_done(l);
	free(l);
}

struct leg *leg_other(struct leg *l)
{
	if (bridge_is_up(l->call))
		return bridge_other(l);
	return l->side == SIDE_CALLER ? l->call->callee : &l->call->caller;
}

void leg_settle(struct leg *l, money_t charged)
{
	scored_over(l, false);
	if (l->cost.purse && (l->cost.held || charged))
		purse_settle(l->cost.purse, l->cost.held, charged);
	l->cost.held = 0;
	if (l->has_line)
		gate_line_give(l->gate);
	l->has_line = false;
	group_lines_give(&l->groups);
	pool_give(&l->pool);
}

/* The connection it came by is gone: the peer's Contact may still be reached over a new one. */
static bool turn_to_contact(struct leg *l)
{
	struct dialog *d = &l->dialog;

	return proto_is_stream((enum proto)d->flow.proto) &&
	       way_to_target(l->call->worker, d, &d->flow) == 0;
}

static int send_once(struct leg *l, const struct draft *d, const struct client_owner *o, void *ctx,
		     struct client_txn **ret)
{
	struct worker *w = l->call->worker;
	char branch[STEER_BRANCH];
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	struct draft whole = *d;

	steer_mint_branch(branch, w->c.index);
	whole.branch = branch;
	whole.local = &l->local;
	dialog_put_request(&l->dialog, &whole, &out);
	if (way_by_tcp(l, out.n)) {
		buf_clear(&out);
		dialog_put_request(&l->dialog, &whole, &out);
	}
	if (buf_error(&out))
		return buf_error(&out);
	return client_send(ret, w->sip, d->method, branch, &l->dialog.flow, buf_str(&out), o, ctx);
}

int leg_send(struct leg *l, const struct draft *d, const struct client_owner *o, void *ctx,
	     struct client_txn **ret)
{
	struct client_txn *t = NULL;
	int r = send_once(l, d, o, ctx, &t);

	if (r == -ENOTCONN && turn_to_contact(l))
		r = send_once(l, d, o, ctx, &t);
	if (r < 0)
		return r;
	if (ret)
		*ret = t;
	else
		client_detach(t);
	return 0;
}

int leg_request(struct leg *l, enum method method, struct str content_type, struct str body,
		const struct client_owner *o, struct client_txn **ret)
{
	struct draft d = { .method = method,
			   .with_contact = method != METHOD_BYE,
			   .content_type = content_type,
			   .body = body };

	return leg_send(l, &d, o, l, ret);
}

static void send_ack(struct leg *l)
{
	if (l->ack.n && !buf_error(&l->ack))
		(void)sip_send(l->call->worker->sip, &l->dialog.flow, buf_str(&l->ack));
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
	l->ack_cseq = cseq;
	if (l->side == SIDE_CALLEE)
		l->is_acked = true;
	send_ack(l);
}

void leg_repeat_ack(struct leg *l, const struct msg *ok)
{
	if (l->side == SIDE_CALLEE && l->is_answered &&
	    !str_eq(ok->to_tag, str_of(l->dialog.remote_tag)))
		fork_release(l->call->worker, l, ok);
	else if (ok->cseq == l->ack_cseq)
		send_ack(l);
	else if (l->is_over) /* RFC 5407 §3.2.3: of a re-INVITE that the end overtook */
		leg_ack(l, ok->cseq, STR(""));
}

const char *leg_allow(const struct leg *l)
{
	static const char *const more[2][2] = { { "", ", MESSAGE" },
						{ ", REFER, NOTIFY", ", REFER, NOTIFY, MESSAGE" } };

	return more[transfer_may(l)][message_may(l)];
}

void leg_put_allow(const struct leg *l, struct buf *out)
{
	buf_printf(out, "Allow: " DIALOG_ALLOW "%s\r\n", leg_allow(l));
	if (l->side == SIDE_CALLER && transfer_may(l))
		buf_put(out, STR("Supported: replaces\r\n"));
}

void leg_learn(struct leg *l, const struct msg *m)
{
	struct str allow;

	if (msg_header(m, "Allow", 0, &allow))
		l->can_update = msg_lists(m, "Allow", STR("UPDATE"));
}

void leg_journal(struct call *c)
{
	char *legs = orphan_legs(c);

	if (legs && !booking_legs(c->worker->booking, c->id, legs))
		free(legs);
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

static void send_bye(struct leg *l);

/* A connection that broke as the BYE went out: the peer may never have seen it. */
static void on_bye_fail(void *ctx, struct client_txn *t, int error)
{
	struct leg *l = ctx;
	bool again = error != -ETIMEDOUT && !l->bye_came_back && turn_to_contact(l);

	(void)t;
	client_detach(l->ending);
	l->ending = NULL;
	if (again) {
		l->bye_came_back = true;
		send_bye(l);
	}
	if (!l->ending)
		bye_over(l);
}

static const struct client_owner bye_owner = { on_bye_response, on_bye_fail, NULL };

static void send_bye(struct leg *l)
{
	struct draft d = { .method = METHOD_BYE, .extra = buf_str(&l->call->cause) };

	l->is_over = true;
	l->bye_is_due = false;
	if (leg_send(l, &d, &bye_owner, l, &l->ending) < 0)
		l->ending = NULL;
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
	else if (l->ack_waits && !l->is_asking && l->asking_cseq)
		leg_ack(l, l->asking_cseq, STR(""));
	l->ack_waits = false;
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
