#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/inner.h"

/* What one gateway's media_relay asks for; auto is what the parameter says. */
static bool wants_relay(int64_t mode, const struct world *w)
{
	if (mode == MAPPING_GATEWAY_MEDIA_RELAY_AUTO)
		return param_bool(w->params, PARAM_SS_MEDIA_PROXY_ENABLE);
	return mode != MAPPING_GATEWAY_MEDIA_RELAY_OFF;
}

enum reason offer_open(struct call *c, const struct source *s, const struct vendor *v)
{
	const struct world *w = c->q.world;

	if (c->relay) { /* another try: the vendor before is neither heard nor sent to any more */
		const struct relay_peer nobody = { .source = MEDIA_SDP };

		return relay_set_peer(c->relay, SIDE_CALLEE, &nobody) < 0 ? REASON_OVERLOAD
									  : REASON_NONE;
	}
	/* Direct media only if both sides opted in (behaviour.md, Media): a relay hides the vendor. */
	if (!wants_relay(s->row->media_relay, w) && !wants_relay(v->row->media_relay, w))
		return REASON_NONE;
	return relay_open(&c->relay, c->worker->desk) < 0 ? REASON_NO_MEDIA_PORT : REASON_NONE;
}

/* The gateway's own media rules, from this turn's world; one that was deleted meanwhile gets the defaults. */
static void peer_rules(const struct leg *l, struct relay_peer *p)
{
	const struct world *w = l->call->worker->world;

	if (l->side == SIDE_CALLER) {
		const struct source *s = world_source(w, l->call->cdr->mapping_gateway);

		p->source = s ? (enum media_source)s->row->media_source : MEDIA_AUTO;
		p->is_public = s && s->row->is_public;
		p->nets = s ? s->media_net : NULL;
		p->net_count = s ? s->media_net_count : 0;
	} else {
		const struct vendor *v = world_vendor(w, l->gateway);

		p->source = v ? (enum media_source)v->row->media_source : MEDIA_AUTO;
		p->is_public = v && v->row->is_public;
		p->nets = v ? v->media_net : NULL;
		p->net_count = v ? v->media_net_count : 0;
	}
}

static struct payloads payloads_of(const struct sdp_media *m)
{
	struct payloads set = { { 0 } };

	for (int i = 0; i < m->payload_count; i++)
		set.word[m->payload[i] / 64 & 1] |= UINT64_C(1) << m->payload[i] % 64;
	return set;
}

static enum reason tell_relay(struct leg *from, const struct sdp_media *audio)
{
	struct call *c = from->call;
	struct relay_peer peer = { .signalling = from->dialog.flow.peer, .clock_hz = 8000 };

	if (!c->relay)
		return REASON_NONE;
	peer_rules(from, &peer);
	if (audio && audio->has_address) {
		peer.rtp = audio->rtp;
		peer.rtcp = audio->rtcp;
	}
	if (audio)
		peer.payloads = payloads_of(audio);
	peer.may_send = audio && audio->direction != SDP_INACTIVE;
	peer.is_deaf = !peer.may_send;

	int e = relay_set_peer(c->relay, from->side, &peer);
	return e == -EINVAL ? REASON_BAD_REQUEST : e < 0 ? REASON_OVERLOAD : REASON_NONE;
}

/* Our own side of every stream: the relayed audio has our port, everything else is refused with port 0. */
static void our_ports(const struct call *c, const struct sdp *s, const struct leg *to,
		      struct addr *rtp)
{
	bool is_used = false;

	for (int i = 0; i < sdp_media_count(s); i++) {
		const struct sdp_media *m = sdp_media_at(s, i);

		rtp[i] = *relay_local(c->relay, to->side);
		if (is_used || !m->is_audio || addr_port(&m->rtp) == 0)
			addr_set_port(&rtp[i], 0);
		else
			is_used = true;
	}
}

static enum reason write_to(struct leg *to, const struct sdp *s, struct buf *out)
{
	struct call *c = to->call;
	struct addr rtp[SDP_MEDIA_MAX];
	const struct addr *host = &to->local;

	if (c->relay) {
		our_ports(c, s, to, rtp);
		host = relay_local(c->relay, to->side);
	}
	to->origin.version++;
	if (sdp_put(s, &to->origin, host, c->relay ? rtp : NULL, out) < 0 || buf_error(out))
		return REASON_OVERLOAD;
	buf_clear(&to->sdp);
	buf_put(&to->sdp, buf_str(out));
	if (c->relay && relay_listen(c->relay, to->side) < 0)
		return REASON_OVERLOAD;
	return REASON_NONE;
}

/* What this leg described: the relay learns where it is, and whether it holds the other. */
static enum reason learn(struct leg *from, const struct sdp *s)
{
	enum reason r = tell_relay(from, sdp_audio(s));

	if (r == REASON_NONE)
		from->is_holding = sdp_is_hold(s);
	return r;
}

void offer_take_back(struct leg *l)
{
	CLEANUP(sdp_free) struct sdp *s = NULL;
	const char *what;

	if (l->described_before.n == 0 || sdp_parse(&s, buf_str(&l->described_before), &what) < 0)
		return;
	(void)learn(l, s);
	buf_clear(&l->described);
	buf_put(&l->described, buf_str(&l->described_before));
	buf_clear(&l->described_before);
}

enum reason offer_pass(struct leg *from, struct leg *to, struct str body, struct buf *out)
{
	CLEANUP(sdp_free) struct sdp *s = NULL;
	const char *what;

	if (body.n == 0)
		return REASON_NONE;
	if (sdp_parse(&s, body, &what) < 0)
		return REASON_BAD_REQUEST;
	if (sdp_media_count(s) == 0) /* cut off, or about nothing: no peer could answer it */
		return REASON_CODEC_MISMATCH;

	const struct sdp_media *audio = sdp_audio(s);
	enum reason r = learn(from, s);

	if (r != REASON_NONE)
		return r;
	buf_clear(&from->described);
	buf_put(&from->described, body);
	if (from->side == SIDE_CALLEE && audio && audio->codec.n && !from->call->cdr->codec)
		from->call->cdr->codec = str_dup(audio->codec);
	return write_to(to, s, out);
}
