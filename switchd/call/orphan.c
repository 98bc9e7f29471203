#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/log.h"
#include "call/bridge.h"
#include "call/way.h"

/*
 * Calls that a crash cut off: the journal kept how to reach both peers, and they are told BYE, so that none of them bills on
 * (behaviour.md, Money): 200 calls a second, CSeq + 1000, whatever they answer.
 */

enum { PACE_MS = 50, BATCH = 10, CSEQ_AHEAD = 1000 };

struct orphans {
	struct worker *worker;
	struct orphan *item;
	size_t count, next;
	struct timer timer;
};

/* ---- into the journal ---- */

static json_t *leg_json(const struct leg *l)
{
	char peer[ADDR_TEXT], local[ADDR_TEXT];
	const struct dialog *d = &l->dialog;

	const char *vendor = l->is_phone ? NULL : l->gateway;
	const char *sender =
		l->call->is_sender_phone
			? NULL
			: (l->call->sender ? l->call->sender : l->call->cdr->mapping_gateway);
	const char *gateway = l->side == SIDE_CALLER ? sender : vendor;

	return json_pack("{s:s s:s s:s s:s s:s? s:s s:s? s:i s:i s:s s:s s:i s:s?}", "call_id",
			 d->call_id, "local", d->local, "remote", d->remote, "local_tag",
			 d->local_tag, "remote_tag", d->remote_tag, "target", d->target, "routes",
			 d->routes, "cseq", (int)d->local_cseq, "proto", (int)d->flow.proto, "peer",
			 addr_text(&d->flow.peer, peer), "host", addr_text(&l->local, local),
			 "side", (int)l->side, "gateway", gateway);
}

/* Of a call whose other end is another call's. */
static char *orphan_end(const struct leg *l)
{
	json_t *legs = json_pack("[o]", leg_json(l));
	char *text = legs ? json_dumps(legs, JSON_COMPACT) : NULL;

	json_decref(legs);
	return text;
}

char *orphan_legs(const struct call *c)
{
	if (bridge_is_up(c))
		return orphan_end(bridge_end(c));

	json_t *a = leg_json(&c->caller), *b = c->callee ? leg_json(c->callee) : NULL;
	json_t *legs = a && b ? json_pack("[O,O]", a, b) : NULL;
	char *text = legs ? json_dumps(legs, JSON_COMPACT) : NULL;

	json_decref(a);
	json_decref(b);
	json_decref(legs);
	return text;
}

/* ---- and out again ---- */

static char *copy_of(const json_t *o, const char *key)
{
	const char *v = json_string_value(json_object_get(o, key));

	return v ? strdup(v) : NULL;
}

/* Datagrams go where they came from; a connection is gone, so the way leads to the Contact. */
static int flow_of(struct worker *w, const json_t *o, struct dialog *d, struct flow *ret)
{
	const char *peer = json_string_value(json_object_get(o, "peer"));
	json_int_t proto = json_integer_value(json_object_get(o, "proto"));
	struct addr a;

	if (!peer || proto < 0 || proto >= PROTO_COUNT || addr_parse(str_of(peer), 0, &a) < 0)
		return -1;
	d->flow.proto = (uint8_t)proto;
	if ((!proto_is_stream((enum proto)proto) || way_to_target(w, d, ret) < 0) &&
	    transport_flow(w->transport, (enum proto)proto, &a, ret) < 0)
		return -1;
	way_believe(w, (enum side)json_integer_value(json_object_get(o, "side")),
		    json_string_value(json_object_get(o, "gateway")), ret);
	return 0;
}

static void send_bye(struct worker *w, const json_t *o)
{
	struct dialog d = { .call_id = copy_of(o, "call_id"),
			    .local = copy_of(o, "local"),
			    .remote = copy_of(o, "remote"),
			    .local_tag = copy_of(o, "local_tag"),
			    .remote_tag = copy_of(o, "remote_tag"),
			    .target = copy_of(o, "target"),
			    .routes = copy_of(o, "routes") };
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	char branch[STEER_BRANCH];
	struct client_txn *t;
	struct addr local;

	d.local_cseq = (uint32_t)json_integer_value(json_object_get(o, "cseq")) + CSEQ_AHEAD;
	if (d.call_id && d.local && d.remote && d.local_tag && d.target &&
	    flow_of(w, o, &d, &d.flow) == 0) {
		transport_local(w->transport, &d.flow, &local);
		steer_mint_branch(branch, w->c.index);
		dialog_put_request(
			&d,
			&(struct draft){ .method = METHOD_BYE, .branch = branch, .local = &local },
			&out);
		if (!buf_error(&out) && client_send(&t, w->sip, METHOD_BYE, branch, &d.flow,
						    buf_str(&out), NULL, NULL) == 0)
			client_detach(t);
	}
	dialog_done(&d);
}

static void release(struct worker *w, const struct orphan *o)
{
	json_t *legs = o->legs ? json_loads(o->legs, 0, NULL) : NULL;
	size_t i;
	json_t *leg;

	json_array_foreach(legs, i, leg) send_bye(w, leg);
	json_decref(legs);
	(void)booking_orphan_done(w->booking, o->id);
}

static void on_timer(struct timer *t, int64_t now_ms)
{
	struct orphans *o = CONTAINER(t, struct orphans, timer);

	for (int i = 0; i < BATCH && o->next < o->count; i++)
		release(o->worker, &o->item[o->next++]);
	if (o->next < o->count)
		timer_start(&o->worker->loop.wheel, t, now_ms + PACE_MS);
}

int orphans_start(struct worker *w)
{
	struct orphans *o = calloc(1, sizeof(*o));

	if (!o)
		return -1;
	o->worker = w;
	o->count = ledger_orphans(w->hub->ledger, &o->item);
	timer_init(&o->timer, on_timer);
	if (o->count) {
		log_at(LOG_NOTICE, NULL, "telling the peers of %zu calls that a restart cut off",
		       o->count);
		timer_start(&w->loop.wheel, &o->timer, w->loop.now_ms + 1);
	}
	w->orphans = o;
	return 0;
}

void orphans_free(struct worker *w)
{
	struct orphans *o = w->orphans;

	if (!o)
		return;
	timer_stop(&o->timer);
	for (size_t i = 0; i < o->count; i++)
		free(o->item[i].legs);
	free(o->item);
	free(o);
	w->orphans = NULL;
}
