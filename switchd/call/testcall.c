#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/log.h"
#include "base/rand.h"
#include "call/numbers.h"
#include "call/tester.h"
#include "call/way.h"
#include "sip/party.h"

/*
 * A call of the switch's own: INVITE, progress, 200, ACK, some seconds in which the media that comes is counted, BYE. It has no customer and
 * no record, and its vendor is not booked: what it costs the vendor knows. The switch is silent in it.
 *
 *	INVITING ──200──→ UP ──BYE──→ ENDING ──→ over
 *	   └── refused, or ring_s are over: CANCELLING ──→ over
 */
enum phase { INVITING, CANCELLING, UP, ENDING };

enum { BYE_WAIT_MS = 2000, CANCEL_WAIT_MS = 5000, PROGRESS_MAX = 32 };

struct testcall {
	struct worker *worker;
	testcall_fn *on_over;
	void *ctx;
	enum phase phase;
	char *gateway;
	struct number callee, caller;
	int ring_s, talk_s;
	struct dialog dialog;
	struct addr local;
	struct client_txn *inviting, *ending;
	uint32_t invite_cseq;
	struct relay *relay;
	struct buf offer, ack;
	char *realm; /* answered once */
	struct timer timer;
	int64_t began_us, rang_us, answered_us, ended_us;
	json_t *progress;
	char codec[32];
	int code; /* the last final one */
	uint32_t cause;
	const char *outcome, *ended_by;
};

/* ---- the answer ---- */

static int64_t ms_since(const struct testcall *c, int64_t us)
{
	return (us - c->began_us) / 1000;
}

static void set_ms(json_t *o, const char *name, const struct testcall *c, int64_t us)
{
	if (us)
		(void)json_object_set_new(o, name, json_integer(ms_since(c, us)));
}

static void put_media(const struct testcall *c, json_t *o)
{
	struct relay_stats s;

	if (!c->relay)
		return;
	relay_stats(c->relay, SIDE_CALLEE, &s);
	(void)json_object_set_new(o, "packets_in", json_integer((json_int_t)s.packets_in));
	(void)json_object_set_new(o, "lost", json_integer((json_int_t)s.lost));
	(void)json_object_set_new(o, "jitter_us", json_integer((json_int_t)s.jitter_us));
	(void)json_object_set_new(o, "mos", json_integer((json_int_t)s.mos_100));
}

static char *result(const struct testcall *c)
{
	char there[ADDR_TEXT];
	json_t *o = json_pack("{s:s s:s s:s s:s s:s s:i s:O}", "gateway", c->gateway, "address",
			      addr_text(&c->dialog.flow.peer, there), "callee", c->callee.digits,
			      "caller", c->caller.digits, "outcome", c->outcome, "code", c->code,
			      "progress", c->progress);
	char *text;

	if (!o)
		return NULL;
	if (c->cause)
		(void)json_object_set_new(o, "cause", json_integer(c->cause));
	set_ms(o, "pdd_ms", c, c->rang_us);
	set_ms(o, "answer_ms", c, c->answered_us);
	if (c->answered_us && c->ended_us)
		(void)json_object_set_new(o, "talk_ms",
					  json_integer((c->ended_us - c->answered_us) / 1000));
	if (c->ended_by)
		(void)json_object_set_new(o, "ended_by", json_string(c->ended_by));
	if (c->codec[0])
		(void)json_object_set_new(o, "codec", json_string(c->codec));
	put_media(c, o);
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return text;
}

/* The last statement of whoever calls it: on_over frees the call. */
static void over(struct testcall *c, const char *outcome)
{
	if (!c->outcome)
		c->outcome = outcome;
	log_at(LOG_INFO, FIELDS(.gateway = c->gateway), "test call to %s through %s: %s, code %d",
	       c->callee.digits, c->gateway, c->outcome, c->code);
	c->on_over(c->ctx, c, result(c));
}

static void note(struct testcall *c, const char *what, int code)
{
	char text[64];
	struct buf out = buf_fixed(text, sizeof(text));

	if (json_array_size(c->progress) >= PROGRESS_MAX)
		return;
	if (code)
		buf_printf(&out, "%d after %lld ms", code, (long long)ms_since(c, clock_mono_us()));
	else
		buf_printf(&out, "%s after %lld ms", what, (long long)ms_since(c, clock_mono_us()));
	(void)json_array_append_new(c->progress, json_string(buf_cstr(&out)));
}

/* ---- media ---- */

static void put_offer(const struct testcall *c, struct buf *out)
{
	struct addr ours = relay_shown(c->relay, SIDE_CALLEE, &c->dialog.flow.peer);
	const char *family = addr_is_v6(&ours) ? "IP6" : "IP4";
	char host[ADDR_TEXT];

	(void)addr_host_text(&ours, host);
	buf_printf(out,
		   "v=0\r\no=- %llu 1 IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n"
		   "m=audio %u RTP/AVP 8 0 18 101\r\na=rtpmap:8 PCMA/8000\r\n"
		   "a=rtpmap:0 PCMU/8000\r\na=rtpmap:18 G729/8000\r\n"
		   "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n",
		   (unsigned long long)(rand_u64() >> 2), family, host, family, host,
		   addr_port(&ours));
}

/* Where the vendor's media comes from; a description that cannot be read counts nothing. */
static void learn_media(struct testcall *c, const struct msg *m)
{
	CLEANUP(sdp_free) struct sdp *s = NULL;
	const struct vendor *v = world_vendor(c->worker->world, c->gateway);
	const struct sdp_media *audio;
	const char *what;
	struct relay_peer p = { .signalling = c->dialog.flow.peer, .clock_hz = 8000 };

	if (m->body.n == 0 || sdp_parse(&s, m->body, &what) < 0 || !(audio = sdp_audio(s)))
		return;
	p.source = v ? (enum media_source)v->row->media_source : MEDIA_AUTO;
	p.is_public = v && v->row->is_public;
	p.nets = v ? v->media_net : NULL;
	p.net_count = v ? v->media_net_count : 0;
	if (audio->has_address) {
		p.rtp = audio->rtp;
		p.rtcp = audio->rtcp;
	}
	for (int i = 0; i < audio->payload_count; i++)
		p.payloads.word[audio->payload[i] / 64 & 1] |= UINT64_C(1)
							       << audio->payload[i] % 64;
	p.may_send = true;
	(void)relay_set_peer(c->relay, SIDE_CALLEE, &p);
	(void)str_copy(c->codec, sizeof(c->codec), audio->codec);
}

/* ---- the end ---- */

static void on_bye_response(void *ctx, struct client_txn *t, const struct msg *m)
{
	(void)t;
	if (m->status >= 200)
		over(ctx, "answered");
}

static void on_bye_fail(void *ctx, struct client_txn *t, int error)
{
	(void)t;
	(void)error;
	over(ctx, "answered");
}

static const struct client_owner bye_owner = { on_bye_response, on_bye_fail, NULL };

static int send_request(struct testcall *c, struct draft d, const struct client_owner *o,
			struct client_txn **ret)
{
	char branch[STEER_BRANCH];
	CLEANUP(buf_done) struct buf out = BUF_INIT;

	steer_mint_branch(branch, c->worker->c.index);
	d.branch = branch;
	d.local = &c->local;
	dialog_put_request(&c->dialog, &d, &out);
	if (buf_error(&out))
		return buf_error(&out);
	return client_send(ret, c->worker->sip, d.method, branch, &c->dialog.flow, buf_str(&out), o,
			   c);
}

static void wait(struct testcall *c, ms_t ms)
{
	timer_start(&c->worker->loop.wheel, &c->timer, c->worker->loop.now_ms + ms);
}

static void hang_up(struct testcall *c)
{
	struct draft d = { .method = METHOD_BYE };

	c->phase = ENDING;
	c->ended_us = clock_mono_us();
	c->ended_by = "switch";
	note(c, "BYE", 0);
	if (send_request(c, d, &bye_owner, &c->ending) < 0) {
		c->ending = NULL;
		over(c, "answered");
		return;
	}
	wait(c, BYE_WAIT_MS);
}

static void on_timer(struct timer *t, int64_t now_ms)
{
	struct testcall *c = CONTAINER(t, struct testcall, timer);

	(void)now_ms;
	switch (c->phase) {
	case INVITING:
		c->ended_by = "switch";
		/* Nothing to cancel: an answer that still comes is ended as a stray one. */
		if (!c->inviting || !client_has_provisional(c->inviting)) {
			over(c, "no response");
			break;
		}
		c->phase = CANCELLING;
		c->outcome = c->rang_us ? "no answer" : "no response";
		note(c, "CANCEL", 0);
		wait(c, CANCEL_WAIT_MS);
		client_cancel(c->inviting);
		break;
	case UP:
		hang_up(c);
		break;
	default:
		over(c, "answered");
		break;
	}
}

/* ---- INVITE ---- */

static const struct client_owner invite_owner;

static int invite(struct testcall *c, struct str credentials)
{
	struct draft d = { .method = METHOD_INVITE,
			   .with_contact = true,
			   .extra = credentials,
			   .content_type = STR("application/sdp"),
			   .body = buf_str(&c->offer) };
	int r = send_request(c, d, &invite_owner, &c->inviting);

	c->invite_cseq = c->dialog.local_cseq;
	return r;
}

static bool answer_challenge(struct testcall *c, const struct msg *m)
{
	const struct vendor *v = world_vendor(c->worker->world, c->gateway);
	CLEANUP(buf_done) struct buf extra = BUF_INIT;
	struct str realm;

	if ((m->status != 401 && m->status != 407) || !v || !v->row->user || !v->row->password ||
	    c->realm ||
	    digest_answer(m, METHOD_INVITE, str_of(c->dialog.target), str_of(v->row->user),
			  str_of(v->row->password), str_of(v->row->realm), &extra, &realm) < 0)
		return false;
	c->realm = str_dup(realm);
	if (!c->realm)
		return false;
	client_detach(c->inviting);
	c->inviting = NULL;
	return invite(c, buf_str(&extra)) == 0;
}

/* Also of a 200 that came again. */
static void acknowledge(struct testcall *c)
{
	char branch[STEER_BRANCH];
	struct draft d = {
		.method = METHOD_ACK, .cseq = c->invite_cseq, .branch = branch, .local = &c->local
	};

	if (c->ack.n == 0) {
		steer_mint_branch(branch, c->worker->c.index);
		dialog_put_request(&c->dialog, &d, &c->ack);
	}
	if (!buf_error(&c->ack))
		(void)sip_send(c->worker->sip, &c->dialog.flow, buf_str(&c->ack));
}

static void answered(struct testcall *c, const struct msg *m)
{
	bool was_cancelled = c->phase == CANCELLING;

	if (c->phase == UP || c->phase == ENDING) {
		acknowledge(c);
		return;
	}
	c->answered_us = clock_mono_us();
	if (!c->rang_us)
		c->rang_us = c->answered_us;
	c->outcome = "answered";
	(void)dialog_update(&c->dialog, m);
	learn_media(c, m);
	acknowledge(c);
	c->phase = UP;
	if (was_cancelled)
		hang_up(c);
	else
		wait(c, (ms_t)c->talk_s * 1000);
}

static void on_response(void *ctx, struct client_txn *t, const struct msg *m)
{
	struct testcall *c = ctx;

	(void)t;
	if (c->phase != UP && c->phase != ENDING)
		note(c, NULL, m->status);
	if (m->status < 200) {
		if (m->status > 100 && !c->rang_us)
			c->rang_us = clock_mono_us();
		if (m->status > 100 && c->phase == INVITING)
			learn_media(c, m);
		return;
	}
	c->code = m->status;
	if (m->status < 300) {
		answered(c, m);
	} else if (c->phase != INVITING || !answer_challenge(c, m)) {
		c->cause = ext_cause(m);
		over(c, "refused");
	}
}

static void on_fail(void *ctx, struct client_txn *t, int error)
{
	struct testcall *c = ctx;

	(void)t;
	if (c->phase == UP || c->phase == ENDING)
		return;
	note(c, transport_error_text(error), 0);
	over(c, error == -ETIMEDOUT ? "no response" : "failed");
}

static void on_done(void *ctx, struct client_txn *t)
{
	struct testcall *c = ctx;

	(void)t;
	c->inviting = NULL;
}

static const struct client_owner invite_owner = { on_response, on_fail, on_done };

/* The vendor ends it, or wants what a test does not do. */
bool testcall_request(struct testcall *c, struct server_txn *txn, const struct msg *m)
{
	if (!c->dialog.local_tag || !str_eq(m->to_tag, str_of(c->dialog.local_tag)) ||
	    !str_eq(m->call_id, str_of(c->dialog.call_id)))
		return false;
	if (!txn)
		return true;
	if (m->method != METHOD_BYE) {
		reply_simple(txn,
			     m->method == METHOD_INVITE || m->method == METHOD_UPDATE ? 488 : 200,
			     STR(""));
		return true;
	}
	reply_simple(txn, 200, STR(""));
	if (c->phase != UP)
		return true;
	c->ended_us = clock_mono_us();
	c->ended_by = "vendor";
	note(c, "BYE of the vendor", 0);
	over(c, "answered");
	return true;
}

/* ---- the beginning ---- */

static const struct addr *open_address(const struct vendor *v)
{
	for (int i = 0; i < v->address_count; i++)
		if (reach_is_open(v->reach[i], v->row->registration))
			return &v->address[i];
	return &v->address[0];
}

static int make_dialog(struct testcall *c, const struct vendor *v)
{
	const struct addr *peer = open_address(v);
	char tag[STEER_TOKEN], call_id[STEER_TOKEN], here[ADDR_TEXT];
	CLEANUP(buf_done) struct buf local = BUF_INIT, remote = BUF_INIT, target = BUF_INIT;
	struct flow flow;
	int r = way_to_vendor(c->worker, v, peer, &flow);

	if (r < 0)
		return r;
	transport_local(c->worker->transport, &flow, &c->local);
	steer_mint(tag, c->worker->c.index);
	steer_mint(call_id, c->worker->c.index);
	(void)addr_text(&c->local, here);
	if (c->caller.digits[0]) {
		buf_putz(&local, "<sip:");
		party_put_user(str_of(c->caller.digits), &local);
		buf_printf(&local, "@%s>", here);
	} else {
		buf_putz(&local, "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
	}
	r = way_put_peer(v, str_of(c->callee.digits), peer, &target, &remote);
	if (r < 0 || buf_error(&local))
		return -ENOMEM;
	return dialog_for_invite(&c->dialog, call_id, tag, buf_str(&local), buf_str(&remote),
				 buf_str(&target), &flow);
}

/* The numbers as a call through this gateway would send them. */
static bool make_numbers(struct testcall *c, const struct vendor *v, const struct ask_test *a)
{
	struct inquiry q = { .world = c->worker->world };

	return number_set(&q.callee, str_of(a->callee)) == 0 &&
	       number_set(&q.caller, str_of(a->caller)) == 0 &&
	       numbers_out(&q, v, &c->callee, &c->caller) == REASON_NONE;
}

static const char *begin(struct testcall *c, const struct vendor *v, const struct ask_test *a)
{
	struct worker *w = c->worker;
	bool is_v6 = addr_is_v6(open_address(v));

	c->gateway = strdup(v->row->name);
	c->progress = json_array();
	if (!c->gateway || !c->progress)
		return "memory is short";
	if (!make_numbers(c, v, a))
		return "the gateway's rules leave no number";
	if (make_dialog(c, v) < 0)
		return "there is no way to the gateway";
	if (relay_open(&c->relay, w->desk, (const bool[]){ is_v6, is_v6 }) < 0 ||
	    relay_listen(c->relay, SIDE_CALLEE) < 0)
		return "no media port is free";
	put_offer(c, &c->offer);
	c->began_us = clock_mono_us();
	if (buf_error(&c->offer) || invite(c, STR("")) < 0)
		return "the INVITE could not be sent";
	wait(c, (ms_t)c->ring_s * 1000);
	return NULL;
}

struct testcall *testcall_create(struct worker *w, const struct ask_test *a, testcall_fn *on_over,
				 void *ctx, const char **ret_error)
{
	const struct vendor *v = world_vendor(w->world, a->gateway);
	struct testcall *c = v ? calloc(1, sizeof(*c)) : NULL;

	*ret_error = !v ? "there is no such routing gateway any more" : "memory is short";
	if (!c)
		return NULL;
	*c = (struct testcall){ .worker = w,
				.on_over = on_over,
				.ctx = ctx,
				.ring_s = a->ring_s,
				.talk_s = a->talk_s };
	timer_init(&c->timer, on_timer);
	*ret_error = begin(c, v, a);
	return *ret_error ? testcall_free(c) : c;
}

struct testcall *testcall_free(struct testcall *c)
{
	if (!c)
		return NULL;
	timer_stop(&c->timer);
	if (c->inviting)
		client_detach(c->inviting);
	if (c->ending)
		client_detach(c->ending);
	c->relay = relay_close(c->relay);
	dialog_done(&c->dialog);
	buf_done(&c->offer);
	buf_done(&c->ack);
	json_decref(c->progress);
	free(c->gateway);
	free(c->realm);
	free(c);
	return NULL;
}
