#include "call/move.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/bridge.h"
#include "call/transfer.h"
#include "call/way.h"
#include "sip/refer.h"

enum note_kind {
	NOTE_ASK,  /* give me that call */
	NOTE_HERE, /* it is yours */
	NOTE_NO,   /* it is not to be had */
	NOTE_BUSY, /* not at this moment */
	NOTE_OVER  /* a leg that was yours is gone */
};

struct note {
	enum note_kind kind;
	int from;
	char asker[STEER_TOKEN];     /* of all but OVER: the tag of the leg that a REFER came on */
	char over[STEER_TOKEN];      /* of OVER */
	struct referral what;        /* of ASK */
	struct call *call;           /* of HERE: the reader's from here on */
	ms_t session_at[SIDE_COUNT]; /* when their session timers are due; 0: they have none */
};

/* A leg that another worker has. */
struct moved {
	struct hnode by_tag;
	int worker;
	char tag[STEER_TOKEN];
};

static bool post(struct worker *w, int to, const struct note *n)
{
	return transport_note(w->transport, to, str_n(n, sizeof(*n)));
}

static struct note note_of(const struct worker *w, enum note_kind kind)
{
	struct note n;

	memset(&n, 0, sizeof(n)); /* padding too: it is read as bytes */
	n.kind = kind;
	n.from = w->c.index;
	return n;
}

/* ---- whose is it? ---- */

static struct moved *moved_find(const struct worker *w, struct str tag)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &w->moved, htab_hash(tag))
	{
		struct moved *d = CONTAINER(it, struct moved, by_tag);

		if (str_eq(str_of(d->tag), tag))
			return d;
	}
	return NULL;
}

static struct moved *moved_add(struct worker *w, const struct leg *l, int to)
{
	struct moved *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->worker = to;
	(void)str_copy(d->tag, sizeof(d->tag), str_of(l->dialog.local_tag));
	htab_add(&w->moved, &d->by_tag, htab_hash(str_of(d->tag)));
	return d;
}

static void moved_del(struct worker *w, struct moved *d)
{
	if (d)
		htab_del(&w->moved, &d->by_tag);
	free(d);
}

bool move_passes_on(void *ctx, const struct msg *m, struct str raw)
{
	struct worker *w = ctx;
	struct str value;
	struct replaces r = { 0 };

	if (w->moved.count == 0)
		return false;

	struct str tag = m->is_request ? m->to_tag : m->from_tag;

	if (m->is_request && tag.n == 0 && msg_header(m, "Replaces", 0, &value) &&
	    refer_read_replaces(value, &r) == 0)
		tag = r.to_tag;

	const struct moved *d = tag.n ? moved_find(w, tag) : NULL;

	if (d)
		(void)transport_pass(w->transport, d->worker, &m->flow, raw);
	return d != NULL;
}

void move_over(const struct leg *l)
{
	struct worker *w = l->call->worker;
	const char *tag = l->dialog.local_tag;
	int home = tag ? steer_token_worker(str_of(tag)) : -1;
	struct note n;

	if (home < 0 || home == w->c.index || home >= w->hub->workers)
		return;
	n = note_of(w, NOTE_OVER);
	(void)str_copy(n.over, sizeof(n.over), str_of(tag));
	(void)post(w, home, &n);
}

/* ---- it comes ---- */

static void believe(struct call *c)
{
	const struct source *s = call_peer(c);

	way_believe(c->worker, SIDE_CALLER, s && !s->phone ? s->row->name : NULL,
		    &c->caller.dialog.flow);
	way_believe(c->worker, SIDE_CALLEE, c->callee->is_phone ? NULL : c->callee->gateway,
		    &c->callee->dialog.flow);
}

static void adopt_leg(struct worker *w, struct leg *l, ms_t session_at)
{
	struct flow *f = &l->dialog.flow;

	htab_add(&w->tags, &l->by_tag, htab_hash(str_of(l->dialog.local_tag)));
	if (f->conn == 0)
		f->worker = (uint8_t)w->c.index;
	if (session_at)
		timer_start(&w->loop.wheel, &l->session.timer, session_at);
}

/* What it needs here was reserved. */
static void adopt(struct worker *w, const struct note *n)
{
	struct call *c = n->call;

	c->worker = w;
	c->q.prices = w->prices;
	call_enter(c);
	adopt_leg(w, &c->caller, n->session_at[SIDE_CALLER]);
	adopt_leg(w, c->callee, n->session_at[SIDE_CALLEE]);
	believe(c);
	if (c->relay)
		relay_adopt(c->relay, w->desk);
	else
		desk_unreserve(w->desk);
	watch_again(c);
}

static void unreserve(struct worker *w)
{
	desk_unreserve(w->desk);
	booking_give_room(w->booking);
}

static bool reserve(struct worker *w)
{
	if (!booking_take_room(w->booking))
		return false;
	if (desk_reserve(w->desk))
		return true;
	booking_give_room(w->booking);
	return false;
}

bool move_ask(const struct leg *asker, const struct referral *r)
{
	struct worker *w = asker->call->worker;
	int to = steer_token_worker(str_of(r->our_tag));
	struct note n = note_of(w, NOTE_ASK);

	if (to < 0 || to == w->c.index || to >= w->hub->workers || !reserve(w))
		return false;
	n.what = *r;
	(void)str_copy(n.asker, sizeof(n.asker), str_of(asker->dialog.local_tag));
	if (post(w, to, &n))
		return true;
	unreserve(w);
	return false;
}

static struct leg *asker_of(const struct worker *w, const char *tag)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &w->tags, htab_hash(str_of(tag)))
	{
		struct leg *l = CONTAINER(it, struct leg, by_tag);

		if (str_eq(str_of(l->dialog.local_tag), str_of(tag)))
			return l;
	}
	return NULL;
}

static void answered(struct worker *w, const struct note *n)
{
	struct leg *l;

	if (n->kind == NOTE_HERE)
		adopt(w, n);
	else
		unreserve(w);
	l = asker_of(w, n->asker);
	if (l && n->kind == NOTE_BUSY)
		passing_wait(l);
	else if (l)
		passing_resume(l);
}

/* ---- it goes ---- */

static bool is_alone(const struct call *c)
{
	return c->tries.next == &c->callee->node && c->callee->node.next == &c->tries;
}

static bool is_quiet(const struct leg *l)
{
	return list_is_empty(&l->passings) && !l->ending && !l->refers && !l->ack_waits &&
	       !(l->asked && server_waits_ack(l->asked)) && !timer_is_running(&l->reliable.timer);
}

/* Up, with nothing under way, and never moved before. */
static bool may_move(const struct worker *w, struct call *c)
{
	return bridge_is_free(c) && c->has_room && !c->front && !c->bye && is_alone(c) &&
	       is_quiet(&c->caller) && is_quiet(c->callee) && !timer_is_running(&c->setup_timer) &&
	       steer_token_worker(str_of(c->caller.dialog.local_tag)) == w->c.index &&
	       (!c->relay || relay_is_settled(c->relay));
}

/* The call that it names, if that is the payer's. */
static struct call *find_call(struct worker *w, const struct referral *r)
{
	struct leg *l = leg_find(w, str_of(r->our_tag), str_of(r->call_id));

	if (!l || !l->dialog.remote_tag ||
	    !str_eq(str_of(l->dialog.remote_tag), str_of(r->their_tag)) ||
	    !transfer_is_of_payer(l, r))
		return NULL;
	return l->call;
}

/* Its transactions are over but for repeats, which they answer here. */
static ms_t let_go_leg(struct worker *w, struct leg *l)
{
	struct server_txn **server[] = { &l->invited, &l->asked };
	struct client_txn **client[] = { &l->inviting, &l->asking, &l->session.refresh };
	ms_t at = timer_is_running(&l->session.timer) ? l->session.timer.at_ms : 0;

	for (size_t i = 0; i < sizeof(server) / sizeof(*server); i++) {
		if (*server[i])
			server_detach(*server[i]);
		*server[i] = NULL;
	}
	for (size_t i = 0; i < sizeof(client) / sizeof(*client); i++) {
		if (*client[i])
			client_detach(*client[i]);
		*client[i] = NULL;
	}
	timer_stop(&l->session.timer);
	htab_del(&w->tags, &l->by_tag);
	return at;
}

static void let_go(struct worker *w, struct note *n)
{
	struct call *c = n->call;

	n->session_at[SIDE_CALLER] = let_go_leg(w, &c->caller);
	n->session_at[SIDE_CALLEE] = let_go_leg(w, c->callee);
	timer_stop(&c->life_timer);
	timer_stop(&c->wait_timer);
	htab_del(&w->calls, &c->by_id);
	htab_del(&w->invites, &c->by_invite);
	if (c->relay)
		relay_leave(c->relay);
	booking_give_room(w->booking);
}

/* The room that it left is still there. */
static void take_back(struct worker *w, const struct note *n)
{
	(void)booking_take_room(w->booking);
	desk_reserve_again(w->desk);
	adopt(w, n);
}

static bool give(struct worker *w, struct call *c, const struct note *ask)
{
	struct note n = note_of(w, NOTE_HERE);
	struct moved *caller = moved_add(w, &c->caller, ask->from);
	struct moved *callee = moved_add(w, c->callee, ask->from);

	memcpy(n.asker, ask->asker, sizeof(n.asker));
	n.call = c;
	if (caller && callee) {
		let_go(w, &n);
		if (post(w, ask->from, &n))
			return true;
		take_back(w, &n);
	}
	moved_del(w, caller);
	moved_del(w, callee);
	return false;
}

static void asked(struct worker *w, const struct note *ask)
{
	struct call *c = find_call(w, &ask->what);
	struct note n = note_of(w, c ? NOTE_BUSY : NOTE_NO);

	if (c && may_move(w, c) && give(w, c, ask))
		return;
	memcpy(n.asker, ask->asker, sizeof(n.asker));
	(void)post(w, ask->from, &n);
}

void move_note(void *ctx, struct str bytes)
{
	struct worker *w = ctx;
	struct note n;

	if (bytes.n != sizeof(n))
		return;
	memcpy(&n, bytes.p, sizeof(n));
	switch (n.kind) {
	case NOTE_ASK:
		asked(w, &n);
		break;
	case NOTE_HERE:
	case NOTE_NO:
	case NOTE_BUSY:
		answered(w, &n);
		break;
	case NOTE_OVER:
		moved_del(w, moved_find(w, str_of(n.over)));
		break;
	}
}

void move_stop(struct worker *w)
{
	struct hnode *it;

	while (w->moved.bucket && (it = htab_walk(&w->moved, NULL)))
		moved_del(w, CONTAINER(it, struct moved, by_tag));
	htab_done(&w->moved);
}
