#include "call/reliable.h"

#include <stdlib.h>

#include "base/rand.h"
#include "call/inner.h"

enum { WAITING_MAX = 8, RSEQ_FIRST_MAX = 1 << 30 };

static const struct str option = { "100rel", 6 };

struct waiting {
	struct list node;
	int code;
	struct str sdp;
	char text[];
};

/* ---- towards the caller ---- */

enum reason reliable_read_invite(struct leg *l, const struct source *s, const struct msg *m,
				 struct buf *refusal)
{
	struct reliable *r = &l->reliable;
	bool requires = msg_lists(m, "Require", option);

	if (s->row->rel100 == MAPPING_GATEWAY_REL100_REQUIRED) {
		if (!requires && !msg_lists(m, "Supported", option)) {
			buf_put(refusal, STR("Require: 100rel\r\n"));
			return REASON_EXTENSION_REQUIRED;
		}
		r->is_wanted = true;
	} else if (s->row->rel100 == MAPPING_GATEWAY_REL100_SUPPORTED) {
		r->is_wanted = requires;
	}
	return REASON_NONE;
}

static void arm(struct leg *l, int64_t ms)
{
	struct worker *w = l->call->worker;
	ms_t at = w->loop.now_ms + ms;

	l->reliable.wait_ms = ms;
	timer_start(&w->loop.wheel, &l->reliable.timer,
		    at < l->reliable.give_up_at ? at : l->reliable.give_up_at);
}

static void on_timer(struct timer *t, int64_t now_ms)
{
	struct leg *l = CONTAINER(t, struct leg, reliable.timer);

	if (!l->invited || server_is_final(l->invited))
		return;
	if (now_ms >= l->reliable.give_up_at) {
		finish(l->call, REASON_PRACK_MISSING, HANGUP_SWITCH, 0);
		return;
	}
	server_repeat(l->invited);
	arm(l, l->reliable.wait_ms * 2);
}

static void tell(struct leg *l, int code, struct str sdp, struct str extra)
{
	CLEANUP(buf_done) struct buf lines = BUF_INIT;

	leg_put_allow(l, &lines);
	buf_put(&lines, extra);
	(void)server_reply(
		l->invited,
		&(struct reply){ .code = code,
				 .to_tag = l->dialog.local_tag,
				 .record_route = true,
				 .contact = &l->local,
				 .extra = buf_str(&lines),
				 .content_type = sdp.n ? STR("application/sdp") : STR(""),
				 .body = sdp });
}

static void send_numbered(struct leg *l, int code, struct str sdp)
{
	struct reliable *r = &l->reliable;
	const struct sip_timers *t = &l->call->worker->hub->timers;
	CLEANUP(buf_done) struct buf extra = BUF_INIT;

	if (r->rseq == 0)
		r->rseq = rand_below(RSEQ_FIRST_MAX);
	r->rseq++;
	r->is_open = true;
	r->open_has_sdp = sdp.n > 0;
	buf_printf(&extra, "Require: 100rel\r\nRSeq: %u\r\n", r->rseq);
	tell(l, code, sdp, buf_str(&extra));
	r->timer.on_expire = on_timer;
	r->give_up_at = l->call->worker->loop.now_ms + 64 * t->t1;
	arm(l, t->t1);
}

/* More than a few are not worth keeping: what they say is overtaken by the answer. */
static void keep_back(struct reliable *r, int code, struct str sdp)
{
	struct waiting *n = r->waiting_count < WAITING_MAX ? malloc(sizeof(*n) + sdp.n) : NULL;

	if (!n)
		return;
	*n = (struct waiting){ .code = code, .sdp = str_n(n->text, sdp.n) };
	if (sdp.n)
		memcpy(n->text, sdp.p, sdp.n);
	list_init(&n->node);
	list_add_tail(&r->waiting, &n->node);
	r->waiting_count++;
}

void reliable_tell(struct leg *l, int code, struct str sdp)
{
	struct reliable *r = &l->reliable;

	if (!r->is_wanted)
		tell(l, code, sdp, STR(""));
	else if (l->call->offer.n == 0)
		return; /* it would have to bring our offer, which comes with the answer only */
	else if (r->is_open)
		keep_back(r, code, sdp);
	else
		send_numbered(l, code, sdp);
}

bool reliable_holds_answer(struct leg *l)
{
	struct reliable *r = &l->reliable;

	r->answer_waits = r->is_open && r->open_has_sdp;
	return r->answer_waits;
}

static void go_on(struct leg *l)
{
	struct list *first = list_shift(&l->reliable.waiting);
	struct waiting *n;

	if (!first)
		return;
	n = CONTAINER(first, struct waiting, node);
	l->reliable.waiting_count--;
	send_numbered(l, n->code, n->sdp);
	free(n);
}

void reliable_acked(struct leg *l, struct server_txn *t, const struct msg *m)
{
	struct reliable *r = &l->reliable;

	if (!r->is_open || !l->invited || server_is_final(l->invited) ||
	    !ext_acknowledges(m, r->rseq, l->invite_cseq)) {
		reply_simple(t, 481, STR(""));
		return;
	}
	/* An offer in a PRACK (§5) is refused; the response that it acknowledges is acknowledged all the same. */
	reply_simple(t, m->body.n ? 488 : 200, STR(""));
	timer_stop(&r->timer);
	r->is_open = false;
	if (r->open_has_sdp)
		r->is_agreed = true;
	if (r->answer_waits)
		answer_booked(l->call, 0);
	else
		go_on(l);
}

void reliable_stop(struct leg *l)
{
	struct reliable *r = &l->reliable;
	struct list *first;

	timer_stop(&r->timer);
	while ((first = list_shift(&r->waiting)))
		free(CONTAINER(first, struct waiting, node));
	r->waiting_count = 0;
	r->is_open = r->answer_waits = false;
}

/* ---- of a vendor ---- */

static int64_t mode_of(const struct leg *l)
{
	const struct vendor *v = leg_vendor(l);

	return v ? v->row->rel100 : ROUTING_GATEWAY_REL100_OFF;
}

/*
 * Without an offer of ours the first reliable response would bring one, and its PRACK our answer (§5), which only the caller can give: so
 * none is asked for.
 */
enum reason reliable_put_invite(const struct leg *l, struct buf *out)
{
	int64_t mode = mode_of(l);

	if (mode == ROUTING_GATEWAY_REL100_REQUIRED) {
		if (l->call->offer.n == 0)
			return REASON_UPSTREAM_FAILURE;
		buf_put(out, STR("Require: 100rel\r\n"));
	} else if (mode == ROUTING_GATEWAY_REL100_SUPPORTED && l->call->offer.n > 0) {
		buf_put(out, STR("Supported: 100rel\r\n"));
	}
	return REASON_NONE;
}

bool reliable_received(struct leg *l, const struct msg *m)
{
	CLEANUP(buf_done) struct buf extra = BUF_INIT;
	struct draft d = { .method = METHOD_PRACK };
	struct fork *f;
	uint32_t rseq = ext_rseq(m);

	if (rseq == 0 || mode_of(l) == ROUTING_GATEWAY_REL100_OFF || l->call->offer.n == 0)
		return true;
	f = fork_get(l, m->to_tag);
	if (!f || (f->rseq && rseq != f->rseq + 1)) /* again, or out of order (§4) */
		return false;
	f->rseq = rseq;
	if (m->body.n > 0)
		l->reliable.is_agreed = true;
	buf_printf(&extra, "RAck: %u %u INVITE\r\n", rseq, m->cseq);
	d.extra = buf_str(&extra);
	(void)leg_send(l, &d, NULL, NULL, NULL);
	return true;
}
