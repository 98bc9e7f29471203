#include "golive/party.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/rand.h"
#include "sip/sdp.h"
#include "transport/steer.h"

enum { UNKNOWN_PAYLOAD = -1 };

/* Read anew: what is compared with the switch's own measure must not be a turn old. */
static int64_t now(void)
{
	return clock_mono_ms();
}

static void set_number(char to[STAGE_NUMBER], struct str s)
{
	if (str_copy(to, STAGE_NUMBER, s) < 0)
		to[0] = 0;
}

struct flow party_flow(const struct party *p, const struct addr *peer)
{
	return (struct flow){ .proto = PROTO_UDP, .listener = (uint16_t)p->end, .peer = *peer };
}

static void over(struct party *p)
{
	talk_stop(&p->talk);
	if (p->state != PARTY_OVER)
		p->over_ms = now();
	p->state = PARTY_OVER;
}

struct party *party_create(struct stage *s, enum end end)
{
	struct party *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->stage = s;
	p->end = end;
	p->payload = UNKNOWN_PAYLOAD;
	list_init(&p->node);
	if (talk_open(&p->talk, &s->loop, &s->address[end]) < 0) {
		free(p);
		return NULL;
	}
	list_add_tail(&s->parties, &p->node);
	return p;
}

void party_free(struct party *p)
{
	if (p->inviting)
		client_detach(p->inviting);
	if (p->invited)
		server_detach(p->invited);
	talk_close(&p->talk);
	dialog_done(&p->dialog);
	list_del(&p->node);
	free(p);
}

/* ---- session descriptions ---- */

static const char *name_of(int payload)
{
	switch (payload) {
	case TALK_PCMU:
		return "PCMU";
	case TALK_PCMA:
		return "PCMA";
	default:
		return "G729";
	}
}

static void put_sdp(const struct party *p, const int *payload, struct buf *out)
{
	char host[ADDR_TEXT];

	addr_host_text(&p->talk.local, host);
	buf_printf(out, "v=0\r\no=- %u 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n",
		   rand_below(INT32_MAX), host, host);
	buf_printf(out, "m=audio %u RTP/AVP", addr_port(&p->talk.local));
	for (int i = 0; payload[i] >= 0; i++)
		buf_printf(out, " %d", payload[i]);
	buf_putz(out, "\r\n");
	for (int i = 0; payload[i] >= 0; i++)
		buf_printf(out, "a=rtpmap:%d %s/8000\r\n", payload[i], name_of(payload[i]));
	buf_putz(out, "a=ptime:20\r\na=sendrecv\r\n");
}

static bool has_payload(const struct sdp_media *m, int payload)
{
	for (int i = 0; i < m->payload_count; i++) {
		if (m->payload[i] == payload)
			return true;
	}
	return false;
}

static void start_talk(struct party *p, const struct sdp_media *m)
{
	if (p->every_ms == 0) {
		p->talk.remote = m->rtp;
		p->talk.payload = p->payload;
		p->talk.hear_hz = p->is_caller ? STAGE_CALLEE_HZ : STAGE_CALLER_HZ;
		return;
	}
	talk_start(&p->talk, &m->rtp, p->payload, p->is_caller ? STAGE_CALLER_HZ : STAGE_CALLEE_HZ,
		   p->is_caller ? STAGE_CALLEE_HZ : STAGE_CALLER_HZ, p->every_ms);
}

static void note_offer(struct party *p, const struct sdp_media *m)
{
	struct buf out = buf_fixed(p->offered, sizeof(p->offered) - 1);

	for (int i = 0; i < m->payload_count; i++)
		buf_printf(&out, "%s%d", i ? " " : "", m->payload[i]);
	p->offered[out.n] = 0;
}

/* ---- calling ---- */

static void send_ack(struct party *p)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	char branch[STEER_BRANCH];
	struct draft d = { .method = METHOD_ACK,
			   .cseq = p->invite_cseq,
			   .branch = branch,
			   .local = &p->stage->address[p->end] };

	steer_mint_branch(branch, 0);
	dialog_put_request(&p->dialog, &d, &out);
	if (buf_error(&out) == 0)
		(void)sip_send(p->stage->sip, &p->dialog.flow, buf_str(&out));
}

static void on_answer(struct party *p, const struct msg *m)
{
	CLEANUP(sdp_free) struct sdp *sdp = NULL;
	const char *what;
	bool is_first = p->state == PARTY_TRYING || p->state == PARTY_RINGING;

	if (is_first && dialog_update(&p->dialog, m) < 0)
		return;
	send_ack(p);
	if (!is_first)
		return;
	p->state = PARTY_UP;
	p->code = m->status;
	p->answered_ms = p->acked_ms = now();
	if (sdp_parse(&sdp, m->body, &what) < 0 || !sdp_audio(sdp))
		return;
	const struct sdp_media *audio = sdp_audio(sdp);
	p->payload = audio->payload_count ? audio->payload[0] : UNKNOWN_PAYLOAD;
	start_talk(p, audio);
}

static void on_response(void *ctx, struct client_txn *t, const struct msg *m)
{
	struct party *p = ctx;

	(void)t;
	if (m->status >= 200 && m->status < 300) {
		on_answer(p, m);
	} else if (m->status >= 300) {
		p->code = m->status;
		over(p);
	} else if (m->status > 100 && p->state == PARTY_TRYING) {
		p->state = PARTY_RINGING;
		p->ringing_ms = now();
	}
}

static void on_fail(void *ctx, struct client_txn *t, int error)
{
	struct party *p = ctx;

	(void)t;
	p->error = error;
	over(p);
}

static void on_invite_done(void *ctx, struct client_txn *t)
{
	struct party *p = ctx;

	(void)t;
	p->inviting = NULL;
}

static const struct client_owner invite_owner = { on_response, on_fail, on_invite_done };

static int make_dialog(struct party *p, const struct dial *d)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT;
	char host[ADDR_TEXT], to[ADDR_TEXT], tag[STEER_TOKEN], id[STEER_TOKEN];
	struct flow flow = party_flow(p, &p->stage->to);

	steer_mint(tag, 0);
	steer_mint(id, 0);
	addr_host_text(&p->stage->address[p->end], host);
	addr_text(&p->stage->to, to);
	buf_printf(&text, "%s@%s <sip:%s@%s> <sip:%s@%s> sip:%s@%s", id, host, d->caller, host,
		   d->callee, to, d->callee, to);
	struct str rest = buf_str(&text), call_id, local, remote, target;
	if (buf_error(&text) < 0 || !str_split(&rest, ' ', &call_id) ||
	    !str_split(&rest, ' ', &local) || !str_split(&rest, ' ', &remote) ||
	    !str_split(&rest, ' ', &target))
		return -ENOMEM;
	CLEANUP(free) char *id_text = str_dup(call_id);
	return id_text ? dialog_for_invite(&p->dialog, id_text, tag, local, remote, target, &flow)
		       : -ENOMEM;
}

static int send_invite(struct party *p, const struct dial *d)
{
	CLEANUP(buf_done) struct buf sdp = BUF_INIT;
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	char branch[STEER_BRANCH];
	struct draft draft = { .method = METHOD_INVITE,
			       .branch = branch,
			       .local = &p->stage->address[p->end],
			       .with_contact = true,
			       .content_type = STR("application/sdp") };

	put_sdp(p, d->payload, &sdp);
	draft.body = buf_str(&sdp);
	steer_mint_branch(branch, 0);
	dialog_put_request(&p->dialog, &draft, &out);
	if (buf_error(&sdp) < 0 || buf_error(&out) < 0)
		return -ENOMEM;
	p->invite_cseq = p->dialog.local_cseq;
	p->invited_ms = now();
	return client_send(&p->inviting, p->stage->sip, METHOD_INVITE, branch, &p->dialog.flow,
			   buf_str(&out), &invite_owner, p);
}

int party_dial(struct stage *s, const struct dial *d, struct party **ret)
{
	struct party *p = party_create(s, d->end);

	if (!p)
		return -ENOMEM;
	p->is_caller = true;
	p->every_ms = d->every_ms;
	set_number(p->caller, str_of(d->caller));
	set_number(p->callee, str_of(d->callee));
	int r = make_dialog(p, d);
	if (r == 0)
		r = send_invite(p, d);
	if (r < 0) {
		party_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

void party_cancel(struct party *p)
{
	if (p->inviting)
		client_cancel(p->inviting);
}

/* ---- ending ---- */

static void on_bye_response(void *ctx, struct client_txn *t, const struct msg *m)
{
	struct party *p = ctx;

	(void)t;
	if (m->status >= 200) {
		p->bye_code = m->status;
		over(p);
	}
}

static const struct client_owner bye_owner = { on_bye_response, on_fail, on_invite_done };

int party_bye(struct party *p)
{
	CLEANUP(buf_done) struct buf out = BUF_INIT;
	char branch[STEER_BRANCH];
	struct draft d = { .method = METHOD_BYE,
			   .branch = branch,
			   .local = &p->stage->address[p->end] };

	if (p->state != PARTY_UP || p->is_bye_ours)
		return -EINVAL;
	steer_mint_branch(branch, 0);
	dialog_put_request(&p->dialog, &d, &out);
	if (buf_error(&out) < 0)
		return -ENOMEM;
	if (p->inviting)
		client_detach(p->inviting);
	p->inviting = NULL;
	p->is_bye_ours = true;
	p->bye_ms = now();
	return client_send(&p->inviting, p->stage->sip, METHOD_BYE, branch, &p->dialog.flow,
			   buf_str(&out), &bye_owner, p);
}

void party_end(struct party *p)
{
	if (p->state == PARTY_UP)
		(void)party_bye(p);
	else if (p->inviting && p->is_caller)
		client_cancel(p->inviting);
	else if (p->invited && !server_is_final(p->invited))
		(void)server_reply(p->invited, &(struct reply){ .code = 480 });
}

/* ---- being called ---- */

static void on_cancel(void *ctx, struct server_txn *t)
{
	struct party *p = ctx;

	p->was_cancelled = true;
	p->code = 487;
	(void)server_reply(t, &(struct reply){ .code = 487 });
	over(p);
}

static void on_no_ack(void *ctx, struct server_txn *t)
{
	struct party *p = ctx;

	(void)t;
	p->error = -ETIMEDOUT;
	over(p);
}

static void on_invited_done(void *ctx, struct server_txn *t)
{
	struct party *p = ctx;

	(void)t;
	p->invited = NULL;
}

static const struct server_owner invited_owner = { on_cancel, on_no_ack, on_invited_done };

static void accept_call(struct party *p, const struct sdp_media *offer, int preferred)
{
	CLEANUP(buf_done) struct buf sdp = BUF_INIT;
	int payload[2] = { offer->payload[0], -1 };

	if (preferred >= 0 && has_payload(offer, preferred))
		payload[0] = preferred;
	p->payload = payload[0];
	put_sdp(p, payload, &sdp);
	p->state = PARTY_UP;
	p->code = 200;
	p->answered_ms = now();
	(void)server_reply(p->invited, &(struct reply){ .code = 200,
							.to_tag = p->dialog.local_tag,
							.record_route = true,
							.contact = &p->stage->address[p->end],
							.content_type = STR("application/sdp"),
							.body = buf_str(&sdp) });
	start_talk(p, offer);
}

static void refuse_call(struct party *p, int code)
{
	p->code = code;
	(void)server_reply(p->invited,
			   &(struct reply){ .code = code, .to_tag = p->dialog.local_tag });
	over(p);
}

void party_invited(struct party *p, struct server_txn *t, const struct msg *m)
{
	CLEANUP(sdp_free) struct sdp *sdp = NULL;
	const struct plan *plan = &p->stage->plan[p->end];
	const char *what;
	char tag[STEER_TOKEN];

	p->invited = t;
	server_own(t, &invited_owner, p);
	steer_mint(tag, 0);
	p->every_ms = plan->every_ms;
	p->invited_ms = now();
	set_number(p->caller, m->from.user);
	set_number(p->callee, m->uri.user);
	bool is_good = dialog_from_request(&p->dialog, m, tag) == 0 &&
		       sdp_parse(&sdp, m->body, &what) == 0 && sdp_audio(sdp) &&
		       sdp_audio(sdp)->payload_count > 0;
	if (!is_good) {
		refuse_call(p, 488);
		return;
	}
	note_offer(p, sdp_audio(sdp));
	if (!plan->is_silent) {
		p->state = PARTY_RINGING;
		p->ringing_ms = now();
		(void)server_reply(t, &(struct reply){ .code = 180,
						       .to_tag = p->dialog.local_tag,
						       .contact = &p->stage->address[p->end] });
	}
	if (plan->code >= 300)
		refuse_call(p, plan->code);
	else if (plan->code >= 200)
		accept_call(p, sdp_audio(sdp), plan->payload);
}

void party_request(struct party *p, struct server_txn *t, const struct msg *m)
{
	if (m->method == METHOD_ACK) {
		p->acked_ms = p->acked_ms ? p->acked_ms : now();
		if (p->invited)
			server_acked(p->invited);
		return;
	}
	if (m->method == METHOD_BYE) {
		p->is_bye_theirs = true;
		p->bye_ms = p->bye_ms ? p->bye_ms : now();
		(void)server_reply(t, &(struct reply){ .code = 200 });
		if (!p->is_bye_ours)
			over(p);
		return;
	}
	(void)server_reply(t, &(struct reply){ .code = m->method == METHOD_OPTIONS ? 200 : 405 });
}
