#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/bridge.h"

/* SS_MEDIAPROXYMODE is one of that; unset it leaves the question to SS_MEDIA_PROXY_ENABLE. */
static bool mode_is(const struct world *w, const char *mode)
{
	return str_eq(param_str(w->params, PARAM_SS_MEDIAPROXYMODE), str_of(mode));
}

/* What one gateway's media_relay asks for; auto is what the parameters say. */
static bool wants_relay(int64_t mode, const struct world *w)
{
	if (mode != MAPPING_GATEWAY_MEDIA_RELAY_AUTO)
		return mode != MAPPING_GATEWAY_MEDIA_RELAY_OFF;
	if (str_is_empty(param_str(w->params, PARAM_SS_MEDIAPROXYMODE)))
		return param_bool(w->params, PARAM_SS_MEDIA_PROXY_ENABLE);
	return mode_is(w, "On");
}

/* The caller wants its media elsewhere than where it speaks from: most likely an address that only it can reach. */
static bool caller_is_elsewhere(const struct call *c)
{
	CLEANUP(sdp_free) struct sdp *s = NULL;
	const struct sdp_media *audio;
	const char *what;

	if (c->offer.n == 0 || sdp_parse(&s, buf_str(&c->offer), &what) < 0)
		return false;
	audio = sdp_audio(s);
	return audio && audio->has_address && !addr_eq_host(&audio->rtp, &c->caller.signalling);
}

static bool has_phone_behind_nat(const struct call *c, const struct source *s,
				 const struct vendor *v)
{
	return param_bool(c->q.world->params, PARAM_SS_MEDIA_PROXY_BEHIND_NAT) &&
	       ((s->phone && register_is_nat(c->worker, s->phone)) ||
		(v->phone && register_is_nat(c->worker, v->phone)));
}

/* A side that has it off is not overruled by where the caller's media is (features.md §5). */
static bool forbids_relay(const struct source *s, const struct vendor *v)
{
	return s->row->media_relay == MAPPING_GATEWAY_MEDIA_RELAY_OFF ||
	       v->row->media_relay == ROUTING_GATEWAY_MEDIA_RELAY_OFF;
}

/* Direct media only if both sides opted in (behaviour.md, Media), for a relay hides the vendor; and only where it can work. */
static bool is_relayed(const struct call *c, const struct source *s, const struct vendor *v)
{
	const struct world *w = c->q.world;

	return mode_is(w, "Must On") || wants_relay(s->row->media_relay, w) ||
	       wants_relay(v->row->media_relay, w) || has_phone_behind_nat(c, s, v) ||
	       (mode_is(w, "Auto") && !forbids_relay(s, v) && caller_is_elsewhere(c));
}

/* Of what the caller described, or without a description of how it is spoken to. */
static bool caller_is_v6(const struct call *c)
{
	struct str offer = buf_str(&c->offer);

	if (offer.n == 0)
		return addr_is_v6(&c->caller.dialog.flow.peer);
	return str_find(offer, STR("c=IN IP6 ")) >= 0 && str_find(offer, STR("c=IN IP4 ")) < 0;
}

/* The vendor before was of the other family, and nobody has been told of this relay yet. */
static bool is_of_other_family(const struct call *c, bool is_v6)
{
	return c->relay && addr_is_v6(relay_local(c->relay, SIDE_CALLEE)) != is_v6;
}

enum reason offer_open(struct call *c, const struct source *s, const struct vendor *v,
		       const struct addr *to)
{
	const bool is_v6[] = { [SIDE_CALLER] = caller_is_v6(c), [SIDE_CALLEE] = addr_is_v6(to) };

	if (is_of_other_family(c, is_v6[SIDE_CALLEE])) {
		if (c->has_early_sdp)
			return REASON_UPSTREAM_FAILURE;
		c->relay = relay_close(c->relay);
	}
	if (c->relay) { /* another try: the vendor before is neither heard nor sent to any more */
		const struct relay_peer nobody = { .source = MEDIA_SDP };

		return relay_set_peer(c->relay, SIDE_CALLEE, &nobody) < 0 ? REASON_OVERLOAD
									  : REASON_NONE;
	}
	if (!is_relayed(c, s, v))
		return REASON_NONE;
	return relay_open(&c->relay, c->worker->desk, is_v6) < 0 ? REASON_NO_MEDIA_PORT
								 : REASON_NONE;
}

/* The gateway's own media rules, from this turn's world; one that was deleted meanwhile gets the defaults. */
static void peer_rules(const struct leg *l, struct relay_peer *p)
{
	if (l->side == SIDE_CALLER) {
		const struct source *s = call_peer(l->call);

		p->source = s ? (enum media_source)s->row->media_source : MEDIA_AUTO;
		p->is_public = s && s->row->is_public;
		p->nets = s ? s->media_net : NULL;
		p->net_count = s ? s->media_net_count : 0;
	} else {
		const struct vendor *v = leg_vendor(l);

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

/* To the other call's relay this end is where our own one is, on the side that it has no end on any more. */
static int tell_bridge(const struct leg *from, const struct relay_peer *as)
{
	const struct leg *end = bridge_other(from);
	struct relay_peer peer = { .source = MEDIA_SDP,
				   .clock_hz = as->clock_hz,
				   .may_send = true,
				   .payloads = as->payloads,
				   .is_fax = as->is_fax };

	if (!end || !end->call->relay)
		return 0;
	return relay_join(end->call->relay, opposite(end->side), from->call->relay,
			  opposite(from->side), &peer);
}

static enum reason tell_relay(struct leg *from, const struct sdp_media *m)
{
	struct call *c = from->call;
	struct relay_peer peer = { .signalling = from->signalling, .clock_hz = 8000 };

	if (!c->relay)
		return REASON_NONE;
	peer_rules(from, &peer);
	if (m && m->has_address) {
		peer.rtp = m->rtp;
		peer.rtcp = m->rtcp;
	}
	if (m)
		peer.payloads = payloads_of(m);
	peer.is_fax = m && m->is_fax;
	peer.may_send = m && m->direction != SDP_INACTIVE;
	peer.is_deaf = !peer.may_send;

	int e = relay_set_peer(c->relay, from->side, &peer);
	if (e == 0 && bridge_is_up(c))
		e = tell_bridge(from, &peer);
	return e == -EINVAL ? REASON_BAD_REQUEST : e < 0 ? REASON_OVERLOAD : REASON_NONE;
}

/* Our own side of every stream: the relayed one (audio, or fax) has our port, everything else is refused with port 0. */
static void our_ports(const struct call *c, const struct sdp *s, const struct leg *to,
		      struct addr *rtp)
{
	struct addr ours = relay_shown(c->relay, to->side, &to->dialog.flow.peer);
	const struct sdp_media *relayed = sdp_relayed(s);

	for (int i = 0; i < sdp_media_count(s); i++) {
		rtp[i] = ours;
		if (sdp_media_at(s, i) != relayed)
			addr_set_port(&rtp[i], 0);
	}
}

static enum reason write_to(struct leg *to, const struct sdp *s, struct buf *out)
{
	struct call *c = to->call;
	struct addr rtp[SDP_MEDIA_MAX];
	struct addr host = to->local;

	if (c->relay) {
		our_ports(c, s, to, rtp);
		host = relay_shown(c->relay, to->side, &to->dialog.flow.peer);
	}
	to->origin.version++;
	if (sdp_put(s, &to->origin, &host, c->relay ? rtp : NULL, out) < 0 || buf_error(out))
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
	const struct sdp_media *m = sdp_relayed(s);
	enum reason r = tell_relay(from, m);

	if (r == REASON_NONE) {
		from->is_holding = sdp_is_hold(s);
		from->is_fax = m && m->is_fax;
	}
	return r;
}

enum reason offer_tell_again(struct leg *l)
{
	CLEANUP(sdp_free) struct sdp *s = NULL;
	const char *what;

	if (sdp_parse(&s, buf_str(&l->described), &what) < 0)
		return REASON_CODEC_MISMATCH;
	return learn(l, s);
}

enum reason offer_again(struct leg *from, struct leg *to, bool is_freed, struct buf *out)
{
	CLEANUP(sdp_free) struct sdp *s = NULL;
	const char *what;

	if (sdp_parse(&s, buf_str(&from->described), &what) < 0 || !sdp_relayed(s))
		return REASON_CODEC_MISMATCH;
	if (is_freed)
		sdp_set_direction(s, SDP_SENDRECV);
	return write_to(to, s, out);
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

void offer_unsend(struct leg *l)
{
	buf_clear(&l->sdp);
	buf_put(&l->sdp, buf_str(&l->sdp_before));
}

void offer_relearn(struct leg *l, struct str body)
{
	CLEANUP(sdp_free) struct sdp *s = NULL;
	const char *what;

	if (str_eq(body, buf_str(&l->described)) || sdp_parse(&s, body, &what) < 0 ||
	    learn(l, s) != REASON_NONE)
		return;
	buf_clear(&l->described);
	buf_put(&l->described, body);
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
