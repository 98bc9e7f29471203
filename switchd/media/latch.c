#include "media/latch.h"

#include <string.h>

/* A source that moved to another port is believed after the old one has been silent this long. */
enum { REBIND_MS = 2000 };

static const struct addr *sdp_address(const struct latch *l)
{
	return l->is_rtcp ? &l->peer.rtcp : &l->peer.rtp;
}

/* Does `auto` have to learn where the media comes from? Only when the description cannot be true as seen from here. */
static bool must_learn(const struct latch *l)
{
	const struct addr *sdp = sdp_address(l);

	return !addr_is_set(sdp) || addr_is_private(sdp) || !addr_eq_host(sdp, &l->peer.signalling);
}

static bool in_nets(const struct latch *l, const struct addr *from)
{
	for (int i = 0; i < l->peer.net_count; i++) {
		if (cidr_has(&l->nets[i], from))
			return true;
	}
	return false;
}

static bool is_allowed(const struct latch *l, const struct addr *from)
{
	const struct addr *sdp = sdp_address(l);

	switch (l->peer.source) {
	case MEDIA_SDP:
		return addr_is_set(sdp) && addr_eq_host(from, sdp);
	case MEDIA_AUTO:
		return (addr_is_set(sdp) && addr_eq_host(from, sdp)) ||
		       addr_eq_host(from, &l->peer.signalling);
	case MEDIA_NAT:
		return addr_eq_host(from, &l->peer.signalling);
	case MEDIA_NETS:
		return in_nets(l, from);
	}
	return false;
}

/* sdp sends to the described port whatever the source port is; the others answer to where packets come from. */
static bool follows_source(const struct latch *l)
{
	return l->peer.source == MEDIA_NAT || l->peer.source == MEDIA_NETS ||
	       (l->peer.source == MEDIA_AUTO && must_learn(l));
}

/* A private address of a public peer is ignored: nothing is sent until something was heard. */
static bool may_send_first(const struct latch *l)
{
	const struct addr *sdp = sdp_address(l);

	if (!addr_is_set(sdp) || addr_port(sdp) == 0 || l->peer.source == MEDIA_NAT)
		return false;
	return !(l->peer.is_public && addr_is_private(sdp));
}

void latch_set(struct latch *l, const struct relay_peer *p, bool is_rtcp)
{
	bool is_new = !addr_eq(is_rtcp ? &p->rtcp : &p->rtp, sdp_address(l));

	l->peer = *p;
	l->is_rtcp = is_rtcp;
	if (l->peer.net_count > (int)(sizeof(l->nets) / sizeof(l->nets[0])))
		l->peer.net_count = (int)(sizeof(l->nets) / sizeof(l->nets[0]));
	if (l->peer.net_count > 0)
		memcpy(l->nets, p->nets, sizeof(l->nets[0]) * (size_t)l->peer.net_count);
	l->peer.nets = NULL; /* the copy counts */
	if (is_new || (l->is_locked && !is_allowed(l, &l->from)))
		l->is_locked = false;
	if (!l->is_locked || !follows_source(l))
		l->to = may_send_first(l) ? *sdp_address(l) : (struct addr){ 0 };
}

void latch_open(struct latch *l)
{
	l->is_open = true;
}

static void lock_on(struct latch *l, const struct addr *from, uint32_t ssrc)
{
	l->is_locked = true;
	l->from = *from;
	l->ssrc = ssrc;
	if (follows_source(l))
		l->to = *from;
}

bool latch_accept(struct latch *l, const struct addr *from, uint32_t ssrc, ms_t now_ms)
{
	if (l->is_locked && addr_eq(&l->from, from)) {
		l->heard_ms = now_ms;
		l->ssrc = ssrc;
		return true;
	}
	if (!is_allowed(l, from))
		return false;
	if (l->peer.source == MEDIA_SDP) { /* any port of the described address, at any time */
		l->heard_ms = now_ms;
		return true;
	}
	if (!l->is_locked) {
		if (!l->is_open)
			return false;
	} else if (!addr_eq_host(&l->from, from) || now_ms - l->heard_ms < REBIND_MS ||
		   ssrc != l->ssrc) {
		return false;
	}
	lock_on(l, from, ssrc);
	l->heard_ms = now_ms;
	return true;
}
