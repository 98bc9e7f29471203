#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "call/bridge.h"
#include "call/forward.h"
#include "call/hop.h"
#include "call/inner.h"
#include "call/lookup.h"
#include "call/transfer.h"
#include "call/way.h"

enum { ID_WORKER_BITS = 6, ID_SEQ_BITS = 14 };

/* Milliseconds, worker, sequence: grows with time, unique over all workers even when the wall clock steps back. */
int64_t call_new_id(struct worker *w)
{
	int64_t id = (clock_wall_ms() << (ID_WORKER_BITS + ID_SEQ_BITS)) |
		     ((int64_t)w->c.index << ID_SEQ_BITS);

	if (id <= w->last_id)
		id = w->last_id + 1;
	w->last_id = id;
	return id;
}

static uint64_t id_hash(int64_t id)
{
	return htab_hash(str_n(&id, sizeof(id)));
}

struct call *call_find(struct worker *w, int64_t id)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &w->calls, id_hash(id))
	{
		struct call *c = CONTAINER(it, struct call, by_id);

		if (c->id == id)
			return c;
	}
	return NULL;
}

void call_enter(struct call *c)
{
	const struct dialog *d = &c->caller.dialog;

	htab_add(&c->worker->calls, &c->by_id, id_hash(c->id));
	htab_add(&c->worker->invites, &c->by_invite,
		 htab_hash2(str_of(d->call_id), str_of(d->remote_tag)));
}

/* RFC 3261 §8.2.2.2: the same request (Call-ID, tag, CSeq) by another way than the one that is being served. */
bool call_is_merged(struct worker *w, const struct msg *m)
{
	struct hnode *it;

	HTAB_EACH_MATCH(it, &w->invites, htab_hash2(m->call_id, m->from_tag))
	{
		const struct call *c = CONTAINER(it, struct call, by_invite);
		const struct dialog *d = &c->caller.dialog;

		if (str_eq(str_of(d->call_id), m->call_id) &&
		    str_eq(str_of(d->remote_tag), m->from_tag) && d->remote_cseq == m->cseq)
			return true;
	}
	return false;
}

const struct source *call_source(const struct call *c)
{
	const struct world *w = c->worker->world;
	const struct phone *p = world_phone(w, c->cdr->caller_phone);

	return p ? &p->source : world_source(w, c->cdr->mapping_gateway);
}

const struct source *call_peer(const struct call *c)
{
	const struct world *w = c->worker->world;
	const struct phone *p = c->is_sender_phone ? world_phone(w, c->sender) : NULL;

	if (!c->sender)
		return call_source(c);
	return p ? &p->source : world_source(w, c->sender);
}

bool call_is_held(const struct call *c)
{
	return c->caller.is_holding || (c->callee && c->callee->is_holding);
}

struct log_fields call_fields(const struct call *c)
{
	return (struct log_fields){ .call_id = c->cdr->call_id,
				    .gateway = c->cdr->mapping_gateway,
				    .account = c->cdr->account };
}

/* What the record knows from the first message on. */
static int begin_record(struct call *c, const struct msg *m, const struct source *s)
{
	struct cdr_row *r = c->cdr = row_create(&entities[ENTITY_CDR]);
	char host[ADDR_TEXT];

	if (!r)
		return -1;
	r->id = c->id;
	r->start = c->q.wall_ms;
	r->call_id = str_dup(m->call_id);
	r->mapping_gateway = s->phone ? NULL : strdup(s->row->name);
	r->caller_phone = s->phone ? strdup(s->row->name) : NULL;
	r->account = strdup(s->row->account);
	r->caller_ip = strdup(addr_host_text(&m->flow.peer, host));
	return r->call_id && (r->mapping_gateway || r->caller_phone) && r->account && r->caller_ip
		       ? 0
		       : -1;
}

static int note_sender(struct call *c, const struct source *payer, const struct source *peer)
{
	if (peer == payer)
		return 0;
	c->sender = strdup(peer->row->name);
	c->is_sender_phone = peer->phone != NULL;
	return c->sender ? 0 : -1;
}

static int begin_caller(struct call *c, struct server_txn *t, const struct msg *m,
			const struct source *s)
{
	char tag[STEER_TOKEN];
	struct leg *l = &c->caller;

	steer_mint(tag, c->worker->c.index);
	if (dialog_from_request(&l->dialog, m, tag) < 0 || leg_begin(l, c, SIDE_CALLER, tag) < 0)
		return -1;
	transport_local(c->worker->transport, &m->flow, &l->local);
	way_believe(c->worker, SIDE_CALLER, s->phone ? NULL : s->row->name, &l->dialog.flow);
	hop_begin(l, s->row->reply_address, s->row->request_address);
	l->invited = t;
	l->invite_cseq = m->cseq;
	htab_add(&c->worker->invites, &c->by_invite, htab_hash2(m->call_id, m->from_tag));
	return 0;
}

static void call_free(struct call *c)
{
	struct list *it, *tmp;

	c->lookup = lookup_free(c->lookup);
	timer_stop(&c->setup_timer);
	timer_stop(&c->life_timer);
	timer_stop(&c->wait_timer);
	htab_del(&c->worker->calls, &c->by_id);
	htab_del(&c->worker->invites, &c->by_invite);
	LIST_EACH (it, tmp, &c->tries)
		leg_free(CONTAINER(it, struct leg, node));
	leg_done(&c->caller);
	c->relay = relay_close(c->relay);
	buf_done(&c->offer);
	buf_done(&c->refusal);
	buf_done(&c->cause);
	free(c->sender);
	taken_done(&c->taken);
	bridge_drop(c);
	forward_done(c);
	inquiry_done(&c->q);
	row_free(&entities[ENTITY_CDR], c->cdr);
	if (c->has_room)
		booking_give_room(c->worker->booking);
	free(c);
}

struct call *call_create(struct worker *w, struct server_txn *t, const struct msg *m,
			 const struct source *payer, const struct source *peer)
{
	struct call *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->worker = w;
	c->id = call_new_id(w);
	c->max_forwards = m->max_forwards;
	list_init(&c->tries);
	list_init(&c->dead_node);
	list_init(&c->caller.node);
	timer_init(&c->setup_timer, NULL);
	timer_init(&c->life_timer, NULL);
	timer_init(&c->wait_timer, NULL);
	c->q = (struct inquiry){ .hub = w->hub,
				 .prices = w->prices,
				 .world = w->world,
				 .source = payer,
				 .gate_of_source = payer->gate,
				 .mono_ms = w->loop.now_ms,
				 .wall_ms = clock_wall_ms() };
	htab_add(&w->calls, &c->by_id, id_hash(c->id));
	if (note_sender(c, payer, peer) < 0 || begin_record(c, m, payer) < 0 ||
	    begin_caller(c, t, m, peer) < 0) {
		c->caller.invited = NULL; /* still its creator's to answer */
		call_free(c);
		return NULL;
	}
	return c;
}

void call_reap(struct call *c)
{
	if (c->state == CALL_OVER && c->caller.invited && c->caller.is_acked) {
		server_detach(c->caller.invited); /* it only waits for repeats of the ACK */
		c->caller.invited = NULL;
	}
	if (c->state != CALL_OVER || !c->is_booked || c->bye || c->caller.invited ||
	    c->caller.ending || !list_is_empty(&c->tries) || !list_is_empty(&c->dead_node))
		return;
	list_add_tail(&c->worker->dead, &c->dead_node);
}

void call_free_dead(struct worker *w)
{
	struct list *first;

	while ((first = list_shift(&w->dead)))
		call_free(CONTAINER(first, struct call, dead_node));
}
