#include "call/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/snapshot.h"
#include "call/illegal.h"
#include "call/inner.h"
#include "call/keeper.h"
#include "call/knocks.h"
#include "call/message.h"
#include "call/move.h"
#include "call/prices.h"
#include "call/scanner.h"
#include "call/tester.h"
#include "trace/tracer.h"
#include "vendor/ported.h"

static const char allowed[] = "Allow: " DIALOG_ALLOW ", REGISTER\r\n";

/* ---- requests ---- */

/* Requests outside a dialog that are not INVITE. The source is one we know: strangers were dropped before. */
static void other_request(struct worker *w, struct server_txn *t, const struct msg *m)
{
	switch (m->method) {
	case METHOD_OPTIONS:
		reply_simple(t, m->max_forwards == 0 ? 483 : 200,
			     STR("Allow: " DIALOG_ALLOW "\r\nAccept: application/sdp\r\n"
				 "Supported: timer, 100rel\r\n"));
		break;
	case METHOD_BYE:
	case METHOD_CANCEL:
	case METHOD_UPDATE:
	case METHOD_INFO:
	case METHOD_PRACK:
		reply_simple(t, 481, STR(""));
		break;
	case METHOD_MESSAGE:
	case METHOD_NOTIFY:
		message_request(w, t, m);
		break;
	default:
		reply_simple(t, 405, str_of(allowed));
		break;
	}
}

/* RFC 3261 §8.2.2.3. True: 420 was sent. */
static bool refuse_required(struct server_txn *t, const struct msg *m)
{
	CLEANUP(buf_done) struct buf unsupported = BUF_INIT;

	if (m->method == METHOD_CANCEL ||
	    !ext_put_unsupported(m, EXT_TIMER | EXT_100REL, &unsupported))
		return false;
	reply_simple(t, 420, buf_str(&unsupported));
	return true;
}

static void on_request(void *ctx, struct server_txn *t, const struct msg *m)
{
	struct worker *w = ctx;

	if (!str_is_empty(m->to_tag) && tester_request(w->tester, t, m))
		return;
	if (!str_is_empty(m->to_tag))
		inside_request(w, t, m);
	else if (m->method == METHOD_INVITE)
		setup_invite(w, t, m);
	else if (t && m->method == METHOD_REGISTER)
		register_request(w, t, m);
	else if (t && !refuse_stranger(w, t, m) && !refuse_required(t, m))
		other_request(w, t, m);
}

static bool may_answer(void *ctx, const struct flow *from)
{
	struct worker *w = ctx;

	return worker_knows(w, &from->peer);
}

/* A 2xx without a transaction: our ACK was lost, or the answer came after everything was over. */
static void on_stray(void *ctx, const struct msg *m)
{
	struct worker *w = ctx;
	struct leg *l = leg_find(w, m->from_tag, m->call_id);

	if (l && l->is_answered)
		leg_repeat_ack(l, m);
	else if (steer_token_worker(m->from_tag) >= 0 && steer_token_worker(m->call_id) >= 0 &&
		 m->to_tag.n && world_knows(w->world, &m->flow.peer))
		fork_release(w, l, m); /* refused or forgotten, and answered all the same */
}

/*
 * The door: a stranger's request makes no state and gets no answer (security.md F1, F3). Known addresses come in, and
 * whatever may lead to a dialog or transaction of ours; all others only if a gateway is known by its password alone, and no
 * known scanner in any case. What turns out to belong to nothing is dropped behind the door (refuse_stranger).
 */
static bool is_ours(struct str raw)
{
	ptrdiff_t at;

	if (str_has_prefix(raw, STR("SIP/2.0 ")))
		return true;
	while ((at = str_find(raw, STR(";tag="))) >= 0) {
		raw = str_skip(raw, (size_t)at + 5);
		if (steer_token_worker(str_head(raw, STEER_TOKEN - 1)) >= 0)
			return true;
	}
	return false;
}

static void catch (struct worker *w, const struct flow *f, bool is_sent, enum tap_who who,
		   struct str raw)
{
	struct addr local;

	if (!tap_is_on(w->tap))
		return;
	transport_socket(w->transport, f, &local);
	tap_message(w->tap, f, &local, is_sent, who, raw);
}

static void on_sent(void *ctx, const struct flow *to, struct str bytes)
{
	struct worker *w = ctx;

	catch (w, to, true, worker_knows(w, &to->peer) ? TAP_KNOWN : TAP_STRANGER, bytes);
}

static void on_message(void *ctx, const struct flow *from, struct str raw)
{
	struct worker *w = ctx;
	const struct world *world = w->world;
	bool is_known = worker_knows(w, &from->peer) || is_ours(raw);
	struct str agent;

	if (!is_known && scanner_find(raw, &agent)) {
		report_scanner(w->report, from, agent, w->loop.now_ms);
	} else if (is_known || world->is_open || world->traps ||
		   param_bool(world->params, PARAM_SS_REPLY_UNAUTHORIZED)) {
		catch (w, from, false, is_known ? TAP_KNOWN : TAP_STRANGER, raw);
		sip_receive(w->sip, from, raw);
		return;
	} else {
		report_stranger(w->report, from, w->loop.now_ms);
		illegal_raw(w->illegal, from, raw);
	}
	catch (w, from, false, TAP_REFUSED, raw);
	knocks_raw(w->knocks, from, raw, w->loop.now_ms);
	atomic_fetch_add_explicit(&w->stats->unknown_source, 1, memory_order_relaxed);
}

/* It has passed another worker's door, and is in its trace. */
static void on_passed(void *ctx, const struct flow *from, struct str raw)
{
	struct worker *w = ctx;

	sip_receive(w->sip, from, raw);
}

static void on_gone(void *ctx, const struct flow *flow, int error)
{
	struct worker *w = ctx;

	if ((error == -EBADMSG || error == -EMSGSIZE) && !worker_knows(w, &flow->peer))
		report_tcp_abuse(w->report, flow, w->loop.now_ms);

	registrar_lost(w->registrar, flow);
	sip_gone(w->sip, flow, error);
}

/* As on_message lets a stranger in, and no further: a handshake is an answer, and dear. */
static bool may_shake(void *ctx, const struct flow *from)
{
	struct worker *w = ctx;
	const struct world *world = w->world;

	if (world_knows(world, &from->peer) || world->is_open ||
	    param_bool(world->params, PARAM_SS_REPLY_UNAUTHORIZED))
		return true;
	report_stranger(w->report, from, w->loop.now_ms);
	knocks_raw(w->knocks, from, STR(""), w->loop.now_ms);
	atomic_fetch_add_explicit(&w->stats->unknown_source, 1, memory_order_relaxed);
	return false;
}

/* ---- mail ---- */

static void on_booked(void *ctx, enum booked what, uint64_t ref, int error,
		      const struct payment_row *payment)
{
	struct worker *w = ctx;
	struct call *c = ref ? call_find(w, (int64_t)ref) : NULL;

	(void)payment;
	if (!c)
		return;
	if (what == BOOKED_ANSWER)
		answer_booked(c, error);
	else if (what == BOOKED_END)
		finish_booked(c);
}

static char *hang_up(struct worker *w, const struct ask *a)
{
	struct call *c = call_find(w, a->call_id);

	if (!c || c->state == CALL_OVER)
		return strdup("");
	trail_add(&c->q.trail, "operator", "hangup", "by %s", a->actor);
	finish(c, REASON_OPERATOR_HANGUP, HANGUP_SWITCH, 0);
	return strdup("true");
}

/* The drain is over: what is still up ends now, orderly, with its record and its BYEs. */
static void end_all(struct worker *w)
{
	struct hnode *it;

	HTAB_EACH (it, &w->calls)
		finish(CONTAINER(it, struct call, by_id), REASON_SWITCH_RESTARTED, HANGUP_SWITCH,
		       0);
}

static void on_ask(struct inbox *in, const void *record, size_t n)
{
	struct worker *w = CONTAINER(in, struct worker, asks);
	struct ask a;
	struct ask_answer r = { .worker = w->c.index };

	if (n != sizeof(a))
		return;
	memcpy(&a, record, sizeof(a));
	r.ref = a.ref;
	switch (a.kind) {
	case ASK_PING:
		return; /* the turn that it made is the answer */
	case ASK_END_ALL:
		end_all(w);
		return;
	case ASK_FORGET:
		registrar_forget(w->registrar, str_of(a.user));
		return;
	case ASK_LIST:
		r.text = show_calls(w);
		break;
	case ASK_REGISTRATIONS:
		r.text = keeper_show(w->keeper);
		break;
	case ASK_KNOCKS:
		r.text = show_knocks(w);
		break;
	case ASK_SHOW:
		r.text = show_call(w, a.call_id);
		break;
	case ASK_TRACE:
		traced_all(w);
		return;
	case ASK_HANGUP:
		r.text = hang_up(w, &a);
		break;
	case ASK_TEST_ADDRESS:
	case ASK_TEST_GATEWAY:
	case ASK_TEST_CALL:
		r.text = tester_begin(w->tester, &a);
		if (!r.text)
			return; /* it answers when it is over */
		break;
	}
	if (!ring_push(w->c.answers, &r, sizeof(r), NULL, 0))
		free(r.text);
}

/* ---- the loop ---- */

static void see_world(struct worker *w)
{
	w->world = snapshot_read(&w->hub->world);
	if (!w->world || w->world->serial == w->serial)
		return;
	w->serial = w->world->serial;
	register_see_world(w);
	sip_set_resends(w->sip, w->world->resend_ms, w->world->resends);
	transport_close_by_reset(w->transport,
				 param_bool(w->world->params, PARAM_SS_TCP_CLOSE_RESET));
}

/*
 * The end of a turn: everything it made leaves at once, then nothing of the old world is held any
 * more. Orders of the relays leave before messages: who is told where to send may send at once.
 */
static void on_turn(struct loop *l, void *ctx)
{
	struct worker *w = ctx;

	desk_flush(w->desk);
	transport_flush(w->transport);
	booking_flush(w->booking);
	registrar_flush(w->registrar);
	ring_flush(w->c.answers);
	if (tap_is_on(w->tap))
		tap_flush(w->tap);
	call_free_dead(w);
	atomic_store_explicit(&w->stats->alive_ms, l->now_ms, memory_order_relaxed);
	snapshot_quiescent();
	see_world(w);
	if (w->keeper)
		keeper_turn(w->keeper);
}

static void on_sleep(struct loop *l, void *ctx)
{
	(void)l;
	(void)ctx;
	snapshot_offline();
}

static void on_wake(struct loop *l, void *ctx)
{
	(void)l;
	snapshot_online();
	see_world(ctx);
}

static int make_tables(struct worker *w)
{
	int r = htab_init(&w->calls, 1024);

	if (r == 0)
		r = htab_init(&w->tags, 2048);
	if (r == 0)
		r = htab_init(&w->invites, 1024);
	if (r == 0)
		r = htab_init(&w->moved, 0);
	return r;
}

static int make_network(struct worker *w, struct err *err)
{
	struct transport_config t = { .loop = &w->loop,
				      .listen = w->c.listen,
				      .listen_count = w->c.listen_count,
				      .worker = w->c.index,
				      .workers = w->hub->workers,
				      .to = w->c.to,
				      .from = w->c.from,
				      .on_message = on_message,
				      .on_gone = on_gone,
				      .on_passed = on_passed,
				      .on_note = move_note,
				      .on_sent = w->tap ? on_sent : NULL,
				      .is_tapped = w->tap ? w->tap->is_on : NULL,
				      .may_shake = may_shake,
				      .ctx = w,
				      .tls = w->hub->tls,
				      .outside = &w->hub->outside };
	struct sip_user user = { .on_request = on_request,
				 .may_answer = may_answer,
				 .on_stray = on_stray,
				 .pass_on = move_passes_on,
				 .ctx = w };
	int r = transport_create(&w->transport, &t, err);

	if (r == 0)
		r = sip_create(&w->sip, &w->loop, w->transport, w->c.index, &user, &w->hub->timers);
	if (r == 0)
		r = digest_create(&w->digest, w->hub->secret, w->c.index);
	if (r == 0)
		r = report_create(&w->report, w->hub->security, &w->loop);
	if (r == 0)
		r = illegal_create(&w->illegal, w);
	if (r == 0)
		r = knocks_create(&w->knocks);
	if (r == 0)
		r = register_start(w);
	return r;
}

int worker_create(struct worker **ret, const struct worker_config *c, struct err *err)
{
	CLEANUP(worker_free) struct worker *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->c = *c;
	w->hub = c->hub;
	w->stats = &c->hub->stats[c->index];
	w->tap = w->hub->tracer ? tracer_tap(w->hub->tracer, c->index) : NULL;
	list_init(&w->dead);
	list_init(&w->messages);

	int r = loop_init(&w->loop);
	if (r == 0)
		r = make_tables(w);
	if (r == 0)
		r = make_network(w, err);
	if (r < 0)
		return r;
	w->loop.on_turn = on_turn;
	w->loop.on_sleep = on_sleep;
	w->loop.on_wake = on_wake;
	w->loop.ctx = w;
	w->desk = media_desk(w->hub->media, c->index);
	w->booking = ledger_desk(w->hub->ledger, c->index);
	r = booking_attach(w->booking, &w->loop, on_booked, w);
	if (r == 0)
		r = loop_add_inbox(&w->loop, &w->asks, c->asks, on_ask);
	if (r == 0 && c->index == 0 && orphans_start(w) < 0)
		r = -ENOMEM;
	if (r == 0 && c->index == 0)
		r = keeper_create(&w->keeper, w);
	if (r == 0)
		r = prices_create(&w->prices, PRICES_BYTES);
	if (r == 0)
		r = tester_create(&w->tester, w);
	if (r == 0)
		r = ported_create(&w->ported);
	if (r < 0)
		return r;
	*ret = TAKE(w);
	return 0;
}

static void *run(void *arg)
{
	struct worker *w = arg;

	snapshot_thread_enter();
	see_world(w);
	(void)loop_run(&w->loop);
	snapshot_thread_leave();
	return NULL;
}

int worker_start(struct worker *w)
{
	int r = pthread_create(&w->thread, NULL, run, w);

	w->is_running = r == 0;
	return -r;
}

uint64_t worker_buffer_bytes(const struct worker *w)
{
	return transport_stats(w->transport)->buffer_bytes;
}

void worker_stop(struct worker *w)
{
	if (!w->is_running)
		return;
	loop_stop(&w->loop);
	(void)pthread_join(w->thread, NULL);
	w->is_running = false;
}

struct worker *worker_free(struct worker *w)
{
	struct hnode *it;

	if (!w)
		return NULL;
	worker_stop(w);
	if (w->calls.bucket) {
		HTAB_EACH (it, &w->calls) {
			struct call *c = CONTAINER(it, struct call, by_id);

			if (list_is_empty(&c->dead_node))
				list_add_tail(&w->dead, &c->dead_node);
		}
	}
	call_free_dead(w);
	messages_done(w);
	orphans_free(w);
	register_stop(w);
	keeper_free(w->keeper);
	tester_free(w->tester);
	ported_free(w->ported);
	prices_free(w->prices);
	sip_free(w->sip);
	transport_free(w->transport);
	digest_free(w->digest);
	report_free(w->report);
	illegal_free(w->illegal);
	knocks_free(w->knocks);
	move_stop(w);
	htab_done(&w->calls);
	htab_done(&w->tags);
	htab_done(&w->invites);
	loop_done(&w->loop);
	free(w);
	return NULL;
}
