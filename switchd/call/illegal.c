#include "call/illegal.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "call/inner.h"

enum { CALL_ID_BYTES_MAX = 256 };

/* The worker that a source's first INVITE came to takes its place and writes of it; the others only count. */
struct strangers {
	struct {
		_Atomic uint64_t key; /* of the source's address; 0: free */
		_Atomic uint32_t more;
	} place[ILLEGAL_PLACES];
};

struct illegal {
	struct worker *worker;
	struct timer timer; /* while a minute runs */
	struct {
		struct addr peer;
		bool is_ours;
	} place[ILLEGAL_PLACES];
};

int strangers_create(struct strangers **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

struct strangers *strangers_free(struct strangers *s)
{
	free(s);
	return NULL;
}

static bool is_wanted(const struct worker *w)
{
	const struct params *p = w->world->params;

	return param_bool(p, PARAM_SERVER_BILLING_RECORD_ILLEGAL_CALL) &&
	       param_bool(p, PARAM_SERVER_BILLING_RECORD_ZERO_HOLD_TIME);
}

/* True: it is the first of this source, and to be recorded. */
static bool is_first(struct illegal *i, const struct addr *peer)
{
	struct worker *w = i->worker;
	uint64_t key = addr_hash_host(peer) | 1, was = 0;
	size_t n = key / 2 % ILLEGAL_PLACES;
	struct strangers *all = w->hub->strangers;

	if (!is_wanted(w))
		return false;
	if (!atomic_compare_exchange_strong(&all->place[n].key, &was, key)) {
		if (was == key)
			atomic_fetch_add(&all->place[n].more, 1);
		return false;
	}
	i->place[n].peer = *peer;
	i->place[n].is_ours = true;
	if (!timer_is_running(&i->timer))
		timer_start(&w->loop.wheel, &i->timer, w->loop.now_ms + MINUTE_MS);
	return true;
}

static char *number_of(const struct uri *u)
{
	char room[NUMBER_MAX + 1];
	struct buf b = buf_fixed(room, sizeof(room));

	return uri_number(u, &b) == 0 ? str_dup(buf_str(&b)) : NULL;
}

static void put_decisions(struct cdr_row *r, uint32_t count)
{
	CLEANUP(buf_done) struct buf scratch = BUF_INIT;
	struct trail t = { 0 };

	if (count == 0)
		trail_add(&t, "source", "refuse", "%s is no gateway's or phone's", r->caller_ip);
	else
		trail_add(&t, "source", "refuse", "%u more from %s within a minute", count,
			  r->caller_ip);
	r->decisions = str_dup(trail_text(&t, &scratch));
	trail_done(&t);
}

/* count: of those that came after the first; 0: this is the first, m if it can be read. */
static void record(struct worker *w, const struct addr *peer, const struct msg *m, uint32_t count)
{
	struct cdr_row *r;
	char host[ADDR_TEXT];

	if (!ledger_is_up(w->hub->ledger) || ledger_is_tight(w->hub->ledger) ||
	    !booking_take_room(w->booking))
		return;
	r = row_create(&entities[ENTITY_CDR]);
	if (r) {
		r->id = call_new_id(w);
		r->start = r->end = clock_wall_ms();
		r->caller_ip = strdup(addr_host_text(peer, host));
		r->reason = strdup(reason_name(REASON_UNKNOWN_SOURCE));
		r->hangup_side = CDR_HANGUP_SIDE_SWITCH;
		put_decisions(r, count);
		if (m) {
			r->call_id = str_dup(str_head(m->call_id, CALL_ID_BYTES_MAX));
			r->caller_in = number_of(&m->from);
			r->callee_in = number_of(&m->to);
		}
	}
	if (r && (!r->caller_ip || !r->reason || !booking_end(w->booking, 0, r, false)))
		row_free(&entities[ENTITY_CDR], r);
	booking_give_room(w->booking);
}

void illegal_message(struct illegal *i, const struct msg *m)
{
	if (m->method == METHOD_INVITE && is_first(i, &m->flow.peer))
		record(i->worker, &m->flow.peer, m, 0);
}

void illegal_raw(struct illegal *i, const struct flow *from, struct str raw)
{
	CLEANUP(msg_free) struct msg *m = NULL;
	struct msg_fault fault = { 0 };

	if (!str_has_prefix(raw, STR("INVITE ")) || !is_first(i, &from->peer))
		return;
	if (msg_parse(&m, from, raw, &fault) == 0)
		record(i->worker, &from->peer, m, 0);
	else
		record(i->worker, &from->peer, NULL, 0);
}

static void on_minute(struct timer *t, int64_t now_ms)
{
	struct illegal *i = CONTAINER(t, struct illegal, timer);
	struct strangers *all = i->worker->hub->strangers;

	(void)now_ms;
	for (int n = 0; n < ILLEGAL_PLACES; n++) {
		if (!i->place[n].is_ours)
			continue;

		uint32_t more = atomic_exchange(&all->place[n].more, 0);

		if (more > 0 && is_wanted(i->worker))
			record(i->worker, &i->place[n].peer, NULL, more);
		i->place[n].is_ours = false;
		atomic_store(&all->place[n].key, 0);
	}
}

int illegal_create(struct illegal **ret, struct worker *w)
{
	struct illegal *i = calloc(1, sizeof(*i));

	if (!i)
		return -ENOMEM;
	i->worker = w;
	timer_init(&i->timer, on_minute);
	*ret = i;
	return 0;
}

struct illegal *illegal_free(struct illegal *i)
{
	if (i)
		timer_stop(&i->timer);
	free(i);
	return NULL;
}
