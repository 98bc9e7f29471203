#include "sip/txn.h"

#include <errno.h>
#include <stdlib.h>

#include "sip/txn_private.h"

/*
 * One table a side. A key is the 64-bit keyed hash of what §17 matches by, together with the method
 * and (of requests) the CSeq number, and nothing more is compared: with 100,000 transactions alive
 * a wrong match is a matter of 10^14 messages, nobody outside can aim at one, and the texts
 * themselves need not be kept.
 *
 *	client   the branch that we minted                   + method of CSeq
 *	server   branch and sent-by of the top Via           + method, CSeq number
 *	         RFC 2543 peers (no magic cookie): Call-ID, From tag, Request-URI, top Via
 *
 * Every transaction ends in its own `life` timer, also if that is set to "now", so none is freed
 * while somebody up the stack still looks at it.
 */

void txn_init(struct txn *t, struct sip *s, const struct flow *flow, enum method method)
{
	t->sip = s;
	t->flow = *flow;
	t->method = method;
}

void txn_done(struct txn *t, struct htab *table)
{
	timer_stop(&t->repeat);
	timer_stop(&t->life);
	htab_del(table, &t->node);
	txn_keep(t, STR(""));
}

void txn_live(struct txn *t, int64_t ms)
{
	timer_start(&t->sip->loop->wheel, &t->life, t->sip->loop->now_ms + ms);
}

void txn_repeat_in(struct txn *t, int64_t ms)
{
	t->interval = ms;
	timer_start(&t->sip->loop->wheel, &t->repeat, t->sip->loop->now_ms + ms);
}

void txn_keep(struct txn *t, struct str bytes)
{
	char *copy = bytes.n ? malloc(bytes.n) : NULL;

	if (copy)
		memcpy(copy, bytes.p, bytes.n);
	free((void *)(uintptr_t)t->bytes.p);
	t->bytes = str_n(copy, copy ? bytes.n : 0);
}

void txn_send_again(struct txn *t)
{
	if (t->bytes.n == 0)
		return;
	count_one(&t->sip->stats.retransmissions_out);
	(void)transport_send(t->sip->transport, &t->flow, t->bytes);
}

int sip_create(struct sip **ret, struct loop *loop, struct transport *tp, int worker,
	       const struct sip_user *user, const struct sip_timers *timers)
{
	CLEANUP(sip_free) struct sip *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->loop = loop;
	s->transport = tp;
	s->worker = worker;
	s->user = *user;
	s->timers = timers ? *timers : SIP_TIMERS_DEFAULT;
	list_init(&s->spent);
	timer_init(&s->sweep, server_sweep);
	if (htab_init(&s->server, 0) < 0 || htab_init(&s->client, 0) < 0 ||
	    htab_init(&s->client_conns, 0) < 0 || htab_init(&s->server_conns, 0) < 0)
		return -ENOMEM;
	*ret = TAKE(s);
	return 0;
}

void sip_set_resends(struct sip *s, const int64_t *ms, int n)
{
	s->resends = n < SIP_RESENDS_MAX ? n : SIP_RESENDS_MAX;
	for (int i = 0; i < s->resends; i++)
		s->resend[i] = ms[i];
}

static void free_all(struct htab *table, void (*free_one)(struct txn *))
{
	struct hnode *it;

	while (table->bucket && (it = htab_walk(table, NULL)))
		free_one(CONTAINER(it, struct txn, node));
	htab_done(table);
}

struct sip *sip_free(struct sip *s)
{
	if (!s)
		return NULL;
	free_all(&s->client, client_txn_free);
	free_all(&s->server, server_txn_free);
	htab_done(&s->client_conns);
	htab_done(&s->server_conns);
	timer_stop(&s->sweep);
	buf_done(&s->out);
	free(s);
	return NULL;
}

/* What is broken gets an answer if somebody we know sent it, else silence (security.md P1, F1). */
static void refuse(struct sip *s, const struct flow *from, const struct msg *m,
		   const struct msg_fault *fault)
{
	count_one(&s->stats.bad_messages);
	if (m && fault->code && s->user.may_answer && s->user.may_answer(s->user.ctx, from))
		server_answer_broken(s, m, fault->code);
}

bool txn_passed_on(const struct sip *s, const struct msg *m)
{
	return s->user.pass_on && s->user.pass_on(s->user.ctx, m, s->raw);
}

void sip_receive(void *sip, const struct flow *from, struct str raw)
{
	struct sip *s = sip;
	struct msg_fault fault;
	CLEANUP(msg_free) struct msg *m = NULL;

	s->raw = raw;
	if (msg_parse(&m, from, raw, &fault) < 0)
		refuse(s, from, m, &fault);
	else if (m->is_request)
		server_receive(s, TAKE(m));
	else
		client_receive(s, m);
}

void sip_gone(void *sip, const struct flow *flow, int error)
{
	client_gone(sip, flow, error);
	server_gone(sip, flow);
}

const struct sip_stats *sip_stats(const struct sip *s)
{
	return &s->stats;
}

size_t sip_txn_count(const struct sip *s)
{
	return s->server.count + s->client.count;
}

int sip_send(struct sip *s, const struct flow *to, struct str bytes)
{
	return transport_send(s->transport, to, bytes);
}
