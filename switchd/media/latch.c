/*
 * A description that changes (re-INVITE) does not drop the lock: what is on its way still comes
 * from the old source, and would lock it again, against the new one, which is another stream and so
 * could never rebind. The lock becomes old instead: its packets pass, and for LATCH_REBIND_MS after
 * the change, and again after our answer to it, the first packet from another allowed source takes
 * it over. Who speaks on from the old source after that is the right one.
 */
#include "media/latch.h"

#include <string.h>

static bool in_nets(const struct latch *l, const struct addr *a)
{
	for (int i = 0; i < l->net_count; i++) {
		if (cidr_has(&l->nets[i], a))
			return true;
	}
	return false;
}

/* `auto` learns only when the description cannot be true as seen from here. */
static bool must_learn(const struct latch *l)
{
	if (l->source != MEDIA_AUTO)
		return l->source == MEDIA_NAT || l->source == MEDIA_NETS;
	return !addr_is_set(&l->described) || addr_is_private(&l->described) ||
	       !addr_eq_host(&l->described, &l->signalling);
}

/* An address that is not set is equal to none, not even to another one. */
static bool is_host(const struct addr *of, const struct addr *from)
{
	return addr_is_set(of) && addr_eq_host(of, from);
}

static bool is_allowed(const struct latch *l, const struct addr *from)
{
	switch (l->source) {
	case MEDIA_SDP:
		return is_host(&l->described, from);
	case MEDIA_AUTO:
		return is_host(&l->described, from) || is_host(&l->signalling, from);
	case MEDIA_NAT:
		return is_host(&l->signalling, from);
	case MEDIA_NETS:
		return in_nets(l, from);
	}
	return false;
}

/* Where to send before anything was heard. */
static struct addr first_target(const struct latch *l)
{
	bool is_known = addr_is_set(&l->described) && addr_port(&l->described) != 0;

	if (!is_known || l->source == MEDIA_NAT ||
	    (l->source == MEDIA_NETS && !in_nets(l, &l->described)))
		return (struct addr){ 0 };
	return l->described;
}

static void aim(struct latch *l, bool is_new)
{
	struct addr first = first_target(l);

	if (l->is_locked && !is_new) /* goes on */
		return;
	if (l->is_locked && !addr_is_set(&first)) /* nothing better is known than the old source */
		return;
	l->to = first;
}

static void take_rules(struct latch *l, const struct relay_peer *p)
{
	l->source = p->source;
	l->signalling = p->signalling;
	l->net_count = p->net_count < LATCH_NETS ? p->net_count : LATCH_NETS;
	if (l->net_count > 0)
		memcpy(l->nets, p->nets, sizeof(l->nets[0]) * (size_t)l->net_count);
}

void latch_set(struct latch *l, const struct relay_peer *p, bool is_rtcp, ms_t now_ms)
{
	struct addr described = is_rtcp ? p->rtcp : p->rtp;

	/* What a public peer says about its own private network is of no use here. */
	if (p->is_public && addr_is_private(&described))
		described = (struct addr){ 0 };

	bool is_new = !addr_eq(&described, &l->described);

	take_rules(l, p);
	l->described = described;
	l->learns = must_learn(l);
	if (!l->learns || !is_allowed(l, &l->from))
		l->is_locked = false;
	if (is_new) {
		l->is_old = l->is_locked;
		l->is_changed = true;
		l->changed_ms = now_ms;
	}
	aim(l, is_new);
}

void latch_open(struct latch *l, ms_t now_ms)
{
	l->is_open = true;
	if (!l->is_changed)
		return;
	l->is_changed = false;
	l->is_old = l->is_locked;
	l->changed_ms = now_ms;
}

static bool hear(struct latch *l, uint32_t ssrc, ms_t now_ms)
{
	l->heard_ms = now_ms;
	l->ssrc = ssrc;
	if (l->is_old && now_ms - l->changed_ms >= LATCH_REBIND_MS) {
		l->is_old = false;
		l->to = l->from;
	}
	return true;
}

static bool may_lock(const struct latch *l, const struct addr *from, uint32_t ssrc, ms_t now_ms)
{
	if (!l->is_locked)
		return l->is_open;
	if (l->is_old && now_ms - l->changed_ms < LATCH_REBIND_MS)
		return true;
	return addr_eq_host(&l->from, from) && now_ms - l->heard_ms >= LATCH_REBIND_MS &&
	       ssrc == l->ssrc;
}

bool latch_accept(struct latch *l, const struct addr *from, uint32_t ssrc, ms_t now_ms)
{
	if (!l->learns)
		return is_allowed(l, from);
	if (l->is_locked && addr_eq(&l->from, from))
		return hear(l, ssrc, now_ms);
	if (!is_allowed(l, from) || !may_lock(l, from, ssrc, now_ms))
		return false;
	l->is_locked = true;
	l->is_old = false;
	l->from = l->to = *from;
	l->ssrc = ssrc;
	l->heard_ms = now_ms;
	return true;
}
